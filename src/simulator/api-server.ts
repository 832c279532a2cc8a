import { promisify } from 'node:util';
import { constants, gzip } from 'node:zlib';
import type { RawObject, ReadFailure } from '../model/source.ts';
import { type AccessQuestion, forbiddenMessage, isAllowed, rulesOf } from './access-rules.ts';
import {
  type Answer,
  answer,
  jsonAnswer,
  objectNotFound,
  pageNotFound,
  statusAnswer,
  type WholeAnswer,
} from './answers.ts';
import { proxied, readObject } from './component-proxy.ts';
import { discoveryRoot, groupDocument, resourceDocument } from './discovery-documents.ts';
import type { SimulatedRequest } from './local-server.ts';
import { listPage, listReader } from './object-lists.ts';
import { podLog } from './pod-logs.ts';
import { binaryStatus } from './protobuf-encoding.ts';
import { failureFinder, replayed, userOf } from './recorded-failures.ts';
import type { ClusterRecording } from './recording.ts';
import { storeSecret } from './store-objects.ts';

const REVIEWS = '/apis/authorization.k8s.io/v1/selfsubject';

/** The real API server compresses answers above this many bytes. */
const GZIP_FROM_BYTES = 128 * 1024;

const compress = promisify(gzip);

/** How one simulated API server differs from its recording. */
export interface ApiServerOptions {
  /** Refuses what `access.yaml` does not allow. */
  readonly enforceAccess: boolean;
  /** Answers in protobuf where that is preferred, as the real API server does. */
  readonly protobuf: boolean;
  /** Told of each request that would have changed something. */
  onWrite(method: string, path: string): void;
}

/** The place that a path names. */
interface Place {
  readonly group: string;
  readonly version: string;
  readonly resource: string;
  readonly namespace: string;
  readonly name: string;
  readonly subresource: string;
}

/** Answers requests as the recorded cluster's API server did. */
export function apiServer(
  recording: ClusterRecording,
  options: ApiServerOptions,
): (request: SimulatedRequest) => Promise<Answer> {
  const lists = listReader(recording);
  const failureAt = failureFinder(recording.failures);
  const user = userOf(recording.failures);
  const enforced =
    options.enforceAccess && recording.access !== undefined && !recording.access.some(review => review.incomplete);

  async function respond(request: SimulatedRequest): Promise<Answer> {
    const url = new URL(request.target, 'http://api');
    const failure = failureAt(request.target);
    const isReview = request.method === 'POST' && url.pathname.startsWith(REVIEWS);
    if (request.method !== 'GET' && request.method !== 'HEAD' && !isReview) {
      options.onWrite(request.method, request.target);
      return statusAnswer(405, 'MethodNotAllowed', `the simulation changes nothing: ${request.method} is refused`);
    }
    if (failure) return replayed(failure);
    if (isReview) return review(url.pathname, request.body);
    const accept = String(request.headers.accept ?? '');
    const isBinary = accept.startsWith('application/vnd.kubernetes.protobuf');
    if (!isBinary || !options.protobuf) return read(url, isBinary ? '' : accept);
    const given = await read(url, accept);
    return given.is === 'answer' && isStatus(given) ? binaryStatus(given) : given;
  }

  function review(path: string, body: Buffer): WholeAnswer {
    if (!recording.access) return notRecorded('access.yaml');
    const asked = JSON.parse(body.toString('utf8'));
    const spec = asked.spec ?? {};
    if (path.endsWith('rulesreviews')) {
      const { resourceRules, nonResourceRules, incomplete } = rulesOf(recording.access, spec.namespace ?? '');
      return jsonAnswer(201, { ...asked, spec: {}, status: { resourceRules, nonResourceRules, incomplete } });
    }
    if (!path.endsWith('accessreviews')) return pageNotFound();
    const {
      verb = '',
      group = '',
      resource = '',
      subresource = '',
      namespace = '',
      name = '',
    } = spec.resourceAttributes ?? {};
    const question = { verb, group, resource, subresource, namespace, name };
    const allowed = spec.resourceAttributes ? isAllowed(recording.access, question) : verbIsPublic(spec);
    return jsonAnswer(201, { ...asked, status: { allowed } });
  }

  async function read(url: URL, accept: string): Promise<Answer> {
    const { pathname } = url;
    if (pathname === '/version') return version();
    if (['/readyz', '/livez', '/healthz'].includes(pathname)) return health(pathname);
    const groups = recording.groups;
    if (!groups) return replayed(failureAt('/version') ?? notReached());
    const parts = pathname.split('/').filter(Boolean).map(decodeURIComponent);
    const [root, ...rest] = parts;
    if (root !== 'api' && root !== 'apis') return pageNotFound();
    if (rest.length === 0) return discoveryRoot(root, groups, accept);
    if (root === 'apis' && rest.length === 1) return groupDocument(rest[0]!, groups);
    const [group, served, ...inside] = root === 'api' ? ['', ...rest] : rest;
    if (inside.length === 0) return resourceDocument(group!, served!, groups);
    return object(placeOf(group!, served!, inside), url, accept);
  }

  function version(): Answer {
    const said = recording.about.serverVersion;
    return said ? jsonAnswer(200, said) : replayed(notReached());
  }

  function health(path: string): WholeAnswer {
    const isWell = path !== '/readyz' || recording.about.ready !== false;
    return answer(
      isWell ? 200 : 500,
      'text/plain; charset=utf-8',
      isWell ? 'ok' : '[-]etcd failed\nreadyz check failed\n',
    );
  }

  async function object(place: Place, url: URL, accept: string): Promise<Answer> {
    const { group, version: served, resource, namespace, name, subresource } = place;
    const entry = recording.groups!.find(candidate => candidate.group === group && candidate.version === served);
    if (entry && !entry.resources) return statusAnswer(503, 'ServiceUnavailable', entry.error ?? 'service unavailable');
    if (!entry?.resources?.some(candidate => candidate.name === resource)) return pageNotFound();
    const question: AccessQuestion = {
      verb: name === '' ? 'list' : 'get',
      group,
      resource,
      subresource,
      namespace,
      name,
    };
    if (enforced && !isAllowed(recording.access ?? [], question)) return forbidden(question);
    if (subresource !== '') return inside(place, url);
    if (group === '' && resource === 'secrets') return secret(question);
    const list = await lists(group, resource);
    const refused = namespace === '' ? undefined : unreadNamespace(place, list !== undefined);
    if (refused) return refused;
    if (!list) return notRecorded(`${resource} of ${group || 'core'}`);
    const apiVersion = group === '' ? served : `${group}/${served}`;
    if (name === '') return listPage(list, apiVersion, namespace, url.searchParams, accept);
    const found = await readObject(lists, group, resource, namespace, name);
    if (!found) return objectNotFound(group, resource, name);
    return jsonAnswer(200, { kind: list.kind.replace(/List$/, ''), apiVersion, ...found });
  }

  async function inside(place: Place, url: URL): Promise<Answer> {
    const { group, resource, namespace, name, subresource } = place;
    if (group !== '') return pageNotFound();
    if (subresource === 'proxy' && (resource === 'pods' || resource === 'services' || resource === 'nodes')) {
      const start = url.pathname.indexOf('/proxy') + '/proxy'.length;
      const path = (url.pathname.slice(start) || '/') + url.search;
      return proxied(recording, lists, { via: resource, namespace, target: name, path });
    }
    if (resource !== 'pods' || subresource !== 'log') return pageNotFound();
    const pod = await readObject(lists, '', 'pods', namespace, name);
    return pod ? podLog(recording, pod, url.searchParams) : objectNotFound('', 'pods', name);
  }

  function secret(question: AccessQuestion): WholeAnswer {
    // No reader has a reason to list Secrets, and no recording holds such a list.
    if (question.name === '') return forbidden(question);
    const found = storeSecret(recording.stores, question.namespace, question.name);
    return found ? jsonAnswer(200, found) : objectNotFound('', 'secrets', question.name);
  }

  /** A namespace of which nothing was recorded, because the LIST over all namespaces had failed. */
  function unreadNamespace(place: Place, isRecorded: boolean): Answer | undefined {
    const { group, version: served, resource, namespace } = place;
    const root = group === '' ? `/api/${served}` : `/apis/${group}/${served}`;
    const failure = failureAt(`${root}/${resource}`);
    if (!failure) return undefined;
    const read: RawObject = (recording.about.partial ?? []).find(
      (entry: RawObject) => entry.resource === `${group || 'core'}/${served}/${resource}`,
    );
    if (isRecorded && (read?.namespaces ?? []).includes(namespace)) return undefined;
    const message = failure.message.replace('at the cluster scope', `in the namespace "${namespace}"`);
    return replayed({ ...failure, message });
  }

  function forbidden(question: AccessQuestion): WholeAnswer {
    const { group, resource, name } = question;
    const details = { ...(name && { name }), ...(group && { group }), kind: resource };
    return statusAnswer(403, 'Forbidden', forbiddenMessage(user, question), details);
  }

  return async request => compressed(await respond(request), request);
}

/** Segments after the version: `[namespaces/NAMESPACE/]resource[/name[/subresource…]]`. */
function placeOf(group: string, version: string, parts: readonly string[]): Place {
  const isNamespaced = parts[0] === 'namespaces' && parts.length > 2;
  const [resource = '', name = '', subresource = ''] = isNamespaced ? parts.slice(2) : parts;
  return { group, version, resource, namespace: isNamespaced ? parts[1]! : '', name, subresource };
}

function isStatus({ status, headers }: WholeAnswer): boolean {
  return status >= 400 && headers['content-type'] === 'application/json';
}

function verbIsPublic(spec: RawObject): boolean {
  return spec.nonResourceAttributes?.verb === 'get';
}

function notReached(): ReadFailure {
  return { path: '/version', status: 0, reason: 'reset', message: '' };
}

/** Neither an empty list nor a refusal: of what nobody looked at, nothing is known. */
function notRecorded(what: string): WholeAnswer {
  return statusAnswer(501, 'NotImplemented', `the recording does not hold ${what}`);
}

async function compressed(given: Answer, request: SimulatedRequest): Promise<Answer> {
  if (given.is !== 'answer' || given.body.length <= GZIP_FROM_BYTES) return given;
  if (!String(request.headers['accept-encoding'] ?? '').includes('gzip')) return given;
  const body = await compress(given.body, { level: constants.Z_BEST_SPEED });
  return { ...given, body, headers: { ...given.headers, 'content-encoding': 'gzip' } };
}
