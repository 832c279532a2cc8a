import type { RawObject } from '../model/source.ts';
import { answer, objectNotFound, statusAnswer, type WholeAnswer } from './answers.ts';
import type { ListReader } from './object-lists.ts';
import type { ClusterRecording, RecordedHttp } from './recording.ts';

/** A request that the API server passes on. */
export interface ProxyRequest {
  readonly via: 'pods' | 'services' | 'nodes';
  readonly namespace: string;
  /** As in the path: `name`, `name:port` or `scheme:name:port`. */
  readonly target: string;
  /** Path at the component, with its query. */
  readonly path: string;
}

/** Answers a proxied request from `http/index.yaml`. */
export async function proxied(
  recording: ClusterRecording,
  lists: ListReader,
  request: ProxyRequest,
): Promise<WholeAnswer> {
  const { name, port } = nameAndPort(request.target);
  const via = request.via.slice(0, -1);
  const recorded = recording.http.filter(
    entry =>
      entry.via === via &&
      entry.name === name &&
      (entry.namespace ?? '') === request.namespace &&
      (via === 'node' || port === '' || String(entry.port) === port),
  );
  const found = recorded.find(entry => samePath(entry.path, request.path));
  if (found) return recordedAnswer(recording, found);
  if (request.via === 'services') return throughService(recording, lists, request, name, port, recorded.length > 0);
  if (recorded.length > 0) return pageNotRecorded();
  if (request.via === 'nodes') return statusAnswer(503, 'ServiceUnavailable', unreachable(`${name}:10250`));
  const pod = await readObject(lists, '', 'pods', request.namespace, name);
  if (!pod) return objectNotFound('', 'pods', name);
  const ports = (pod.spec?.containers ?? []).flatMap((container: RawObject) => container.ports ?? []);
  const wanted = port || String(ports[0]?.containerPort ?? 80);
  const listens = ports.some((entry: RawObject) => String(entry.containerPort) === wanted);
  if (listens && pod.status?.phase === 'Running') return pageNotRecorded();
  return statusAnswer(503, 'ServiceUnavailable', unreachable(`${pod.status?.podIP ?? ''}:${wanted}`));
}

/** As kube-apiserver does it: one ready pod behind the Service is asked. */
async function throughService(
  recording: ClusterRecording,
  lists: ListReader,
  request: ProxyRequest,
  name: string,
  port: string,
  known: boolean,
): Promise<WholeAnswer> {
  const service = await readObject(lists, '', 'services', request.namespace, name);
  if (!service) return known ? pageNotRecorded() : objectNotFound('', 'services', name);
  const ports: readonly RawObject[] = service.spec?.ports ?? [];
  const chosen = port === '' ? ports[0] : ports.find(entry => String(entry.port) === port || entry.name === port);
  const slices = await lists('discovery.k8s.io', 'endpointslices');
  for (const object of slices?.objects ?? []) {
    const slice = JSON.parse(object.text);
    if (object.namespace !== request.namespace) continue;
    const owner = slice.metadata.labels?.['kubernetes.io/service-name'] ?? slice.metadata.ownerReferences?.[0]?.name;
    if (owner !== name) continue;
    const target = (slice.ports ?? []).find((entry: RawObject) => (entry.name ?? '') === (chosen?.name ?? ''));
    const ready = (slice.endpoints ?? []).find(
      (endpoint: RawObject) => endpoint.conditions?.ready !== false && endpoint.targetRef?.kind === 'Pod',
    );
    if (!chosen || !target || !ready) continue;
    return proxied(recording, lists, { ...request, via: 'pods', target: `${ready.targetRef.name}:${target.port}` });
  }
  if (known) return pageNotRecorded();
  return statusAnswer(503, 'ServiceUnavailable', `no endpoints available for service "${request.target}"`);
}

async function recordedAnswer(recording: ClusterRecording, entry: RecordedHttp): Promise<WholeAnswer> {
  const body = await recording.file(`http/${entry.file}`);
  if (!body) return statusAnswer(501, 'NotImplemented', `the recording has no http/${entry.file}`);
  return answer(entry.status, entry.contentType ?? '', body);
}

/** Of a page that was not recorded nothing is claimed, not even that the component does not have it. */
function pageNotRecorded(): WholeAnswer {
  return statusAnswer(501, 'NotImplemented', 'the recording does not hold the answer to this request');
}

function unreachable(address: string): string {
  return `error trying to reach service: dial tcp ${address}: connect: connection refused`;
}

function nameAndPort(target: string): { readonly name: string; readonly port: string } {
  const parts = target.split(':');
  return parts.length === 3 ? { name: parts[1]!, port: parts[2]! } : { name: parts[0]!, port: parts[1] ?? '' };
}

function samePath(recorded: string, asked: string): boolean {
  const [left, right] = [new URL(recorded, 'http://component'), new URL(asked, 'http://component')];
  left.searchParams.sort();
  right.searchParams.sort();
  return left.pathname === right.pathname && left.search === right.search;
}

/** One recorded object, or undefined. */
export async function readObject(
  lists: ListReader,
  group: string,
  resource: string,
  namespace: string,
  name: string,
): Promise<RawObject> {
  const list = await lists(group, resource);
  const found = list?.objects.find(object => object.name === name && object.namespace === namespace);
  return found && JSON.parse(found.text);
}
