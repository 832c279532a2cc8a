import { randomUUID } from 'node:crypto';
import { stringify } from 'yaml';
import type { RawObject } from '../../src/model/source.ts';
import { type Answer, jsonAnswer, objectNotFound, pageNotFound, statusAnswer } from '../../src/simulator/answers.ts';
import { discoveryRoot, groupDocument, resourceDocument } from '../../src/simulator/discovery-documents.ts';
import { type SimulatedRequest, serveHttp } from '../../src/simulator/local-server.ts';
import { CONTROLLERS, type Controller } from './controllers.ts';
import { merged, patchedAsText, strategicallyMerged } from './patches.ts';
import { GROUPS, groupIn, groupOf, type Place, placeOf, type Resource, withDefaults } from './resources.ts';

/** One request that writes, or would. */
export interface Call {
  readonly method: string;
  /** Path without query. */
  readonly path: string;
  readonly dryRun: boolean;
  readonly body: RawObject;
}

/** What goes wrong with one call: an answer instead of the real one, or a cut connection, before or after it was done. */
export type Fault =
  | {
      readonly is: 'status';
      readonly status: number;
      readonly reason: string;
      readonly message?: string;
      readonly applied?: boolean;
    }
  | { readonly is: 'cut'; readonly applied: boolean };

export interface ServerOptions {
  readonly objects: readonly RawObject[];
  readonly controllers?: readonly Controller[];
  readonly fault?: (call: Call) => Fault | undefined;
  /** The reason why an admission webhook refuses; undefined for none. */
  readonly admission?: (call: Call) => string | undefined;
  /** Changes every object that is written, as a mutating webhook does. */
  readonly mutate?: (object: RawObject) => RawObject;
  readonly denied?: (verb: string, resource: string) => boolean;
  /** Answers GET of other paths, e.g. the proxy to pods. */
  readonly other?: (url: URL, cluster: Cluster) => Answer | undefined;
}

/** The objects of the cluster, for tests and controllers. */
export interface Cluster {
  all(kind: string): readonly RawObject[];
  find(kind: string, namespace: string, name: string): RawObject | undefined;
  /** Stores it with a new resourceVersion, as if somebody else had written it; no controller is told. */
  put(object: RawObject): RawObject;
  remove(object: RawObject): void;
  setStatus(object: RawObject, status: RawObject): void;
}

export interface MutableServer extends Cluster {
  readonly url: string;
  /** A kubeconfig with one context. */
  readonly kubeconfig: string;
  /** Every request that would write, dry runs and reviews left out: `PATCH /api/v1/…`. */
  readonly writes: string[];
  /** Dry runs. */
  readonly dryRuns: string[];
  /** The object at a path of the API, or whose subresource is there. */
  at(path: string): RawObject | undefined;
  close(): Promise<void>;
}

export const WRITES: ReadonlySet<string> = new Set(['POST', 'PUT', 'PATCH', 'DELETE']);

/** An API server that keeps objects and changes them as the real one does, for tests of whatever writes. */
export async function startMutableServer(options: ServerOptions): Promise<MutableServer> {
  const objects = new Map<string, RawObject>();
  const controllers = options.controllers ?? CONTROLLERS;
  const writes: string[] = [];
  const dryRuns: string[] = [];
  let version = 1000;

  const keyOf = ({ kind, metadata }: RawObject, group = groupOf(kind)) =>
    `${group}/${kind}/${metadata.namespace ?? ''}/${metadata.name}`;

  const cluster: Cluster = {
    all: kind => [...objects.values()].filter(object => object.kind === kind),
    find: (kind, namespace, name) =>
      [...objects.values()].find(
        object =>
          object.kind === kind && (object.metadata.namespace ?? '') === namespace && object.metadata.name === name,
      ),
    put(object) {
      version += 1;
      const copy = withDefaults(structuredClone(object));
      copy.metadata.uid ??= randomUUID();
      copy.metadata.creationTimestamp ??= new Date(Date.now() - 3_600_000 * 24).toISOString().replace(/\.\d+Z/, 'Z');
      copy.metadata.resourceVersion = String(version);
      objects.set(keyOf(copy, groupIn(copy)), copy);
      return copy;
    },
    remove(object) {
      objects.delete(keyOf(object, groupIn(object)));
    },
    setStatus(object, status) {
      const live = objects.get(keyOf(object, groupIn(object)));
      if (!live) return;
      version += 1;
      objects.set(keyOf(object, groupIn(object)), {
        ...live,
        status,
        metadata: { ...live.metadata, resourceVersion: String(version) },
      });
    },
  };
  for (const object of options.objects) cluster.put(object);

  function tellControllers(before: RawObject | undefined, after: RawObject | undefined): void {
    for (const controller of controllers) {
      const now = after && objects.get(keyOf(after, groupIn(after)));
      controller(cluster, before, now);
    }
  }

  function store(resource: Resource, before: RawObject | undefined, wanted: RawObject, dryRun: boolean): RawObject {
    const next = withDefaults(structuredClone(options.mutate ? options.mutate(wanted) : wanted));
    const specChanged = JSON.stringify(before?.spec) !== JSON.stringify(next.spec);
    if (next.kind === 'DaemonSet') countTemplates(before, next);
    const unchanged = before && JSON.stringify(bare(before)) === JSON.stringify(bare(next));
    if (unchanged) return before;
    next.metadata.generation = (before?.metadata.generation ?? 0) + (specChanged || !before ? 1 : 0);
    if (dryRun) return next;
    version += 1;
    next.metadata.resourceVersion = String(version);
    objects.set(`${resource.group}/${resource.kind}/${next.metadata.namespace ?? ''}/${next.metadata.name}`, next);
    tellControllers(before, next);
    return next;
  }

  function invalid(kind: string, name: string, message: string): Answer {
    return statusAnswer(422, 'Invalid', `${kind} "${name}" is invalid: ${message}`);
  }

  function change(place: Place, request: SimulatedRequest, body: RawObject, dryRun: boolean): Answer {
    const { resource, namespace, name } = place;
    const live = objects.get(`${resource.group}/${resource.kind}/${namespace}/${name}`);
    if (!live) return objectNotFound(resource.group, resource.name, name);
    const type = String(request.headers['content-type'] ?? '');
    const isScale = place.subresource === 'scale';
    const base = isScale ? scaleOf(live) : live;
    const next = type.startsWith('application/json-patch')
      ? patchedAsText(base, body as readonly RawObject[], request.body.toString('utf8'))
      : type.startsWith('application/strategic-merge-patch')
        ? strategicallyMerged(base, body)
        : type.startsWith('application/merge-patch')
          ? merged(base, body)
          : undefined;
    if (!next) {
      return statusAnswer(422, 'Invalid', 'the server rejected our request due to an error in our request');
    }
    if (next.metadata.resourceVersion !== live.metadata.resourceVersion) {
      return statusAnswer(
        409,
        'Conflict',
        `Operation cannot be fulfilled on ${resource.name} "${name}": the object has been modified; please apply your changes to the latest version and try again`,
      );
    }
    if (next.metadata.uid !== live.metadata.uid) {
      return invalid(resource.kind, name, `metadata.uid: Invalid value: "${next.metadata.uid}": field is immutable`);
    }
    const whole = isScale ? { ...live, spec: { ...live.spec, replicas: next.spec.replicas ?? 0 } } : next;
    const refused = immutable(live, whole, resource);
    if (refused) return invalid(resource.kind, name, refused);
    const stored = store(resource, live, whole, dryRun);
    return jsonAnswer(200, isScale ? scaleOf(stored) : stored);
  }

  function create(place: Place, body: RawObject, dryRun: boolean): Answer {
    const { resource, namespace } = place;
    const name = body.metadata?.name;
    if (!name) return invalid(resource.kind, '', 'metadata.name: Required value');
    // Of nearly all kinds: an RFC 1123 subdomain. Events, roles and the like may have more.
    if (!/^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/.test(name)) {
      return invalid(
        resource.kind,
        name,
        `metadata.name: Invalid value: "${name}": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.'`,
      );
    }
    if (body.apiVersion !== (resource.group ? `${resource.group}/${resource.version}` : resource.version)) {
      return statusAnswer(400, 'BadRequest', 'the API version in the data does not match the expected API version');
    }
    if (objects.has(`${resource.group}/${resource.kind}/${namespace}/${name}`)) {
      return statusAnswer(409, 'AlreadyExists', `${resource.name} "${name}" already exists`);
    }
    const created = {
      ...body,
      metadata: {
        ...body.metadata,
        ...(namespace ? { namespace } : {}),
        uid: randomUUID(),
        creationTimestamp: new Date().toISOString().replace(/\.\d+Z/, 'Z'),
      },
    };
    return jsonAnswer(201, store(resource, undefined, created, dryRun));
  }

  function remove(place: Place, body: RawObject, dryRun: boolean): Answer {
    const { resource, namespace, name } = place;
    const live = objects.get(`${resource.group}/${resource.kind}/${namespace}/${name}`);
    if (!live) return objectNotFound(resource.group, resource.name, name);
    const { uid, resourceVersion } = body?.preconditions ?? {};
    if (uid && uid !== live.metadata.uid) {
      return statusAnswer(
        409,
        'Conflict',
        `Operation cannot be fulfilled on ${resource.name} "${name}": the UID in the precondition (${uid}) does not match the UID in record (${live.metadata.uid}). The object might have been deleted and then recreated`,
      );
    }
    if (resourceVersion && resourceVersion !== live.metadata.resourceVersion) {
      return statusAnswer(
        409,
        'Conflict',
        `Operation cannot be fulfilled on ${resource.name} "${name}": the ResourceVersion in the precondition does not match`,
      );
    }
    if (dryRun) return jsonAnswer(200, live);
    if ((live.metadata.finalizers ?? []).length > 0) {
      const deleting = { ...live, metadata: { ...live.metadata, deletionTimestamp: new Date().toISOString() } };
      return jsonAnswer(200, cluster.put(deleting));
    }
    const dependants = [...objects.values()].filter(object =>
      object.metadata.ownerReferences?.some((reference: RawObject) => reference.uid === live.metadata.uid),
    );
    cluster.remove(live);
    for (const object of dependants) {
      if (body?.propagationPolicy === 'Orphan') {
        cluster.put({ ...object, metadata: { ...object.metadata, ownerReferences: [] } });
      } else cluster.remove(object);
    }
    tellControllers(live, undefined);
    return jsonAnswer(200, live);
  }

  function evict(place: Place, body: RawObject): Answer {
    const options_ = body.deleteOptions ?? {};
    const pod = objects.get(`/Pod/${place.namespace}/${place.name}`);
    if (!pod) return objectNotFound('', 'pods', place.name);
    const budget = cluster
      .all('PodDisruptionBudget')
      .find(
        ({ metadata, spec }) =>
          metadata.namespace === place.namespace &&
          Object.entries(spec.selector?.matchLabels ?? {}).every(
            ([key, value]) => pod.metadata.labels?.[key] === value,
          ),
      );
    if (budget && !(budget.status?.disruptionsAllowed > 0)) {
      return statusAnswer(429, 'TooManyRequests', "Cannot evict pod as it would violate the pod's disruption budget.", {
        causes: [
          {
            reason: 'DisruptionBudget',
            message: `The disruption budget ${budget.metadata.name} needs ${budget.status?.desiredHealthy} healthy pods and has ${budget.status?.currentHealthy} currently`,
          },
        ],
      });
    }
    const answer = remove({ ...place, subresource: '' }, options_, options_.dryRun?.includes('All') === true);
    return answer.is === 'answer' && answer.status === 200
      ? jsonAnswer(201, { kind: 'Status', status: 'Success' })
      : answer;
  }

  function review(path: string, body: RawObject): Answer | undefined {
    if (path.endsWith('/selfsubjectaccessreviews')) {
      const { verb, resource, subresource } = body.spec?.resourceAttributes ?? {};
      const whole = subresource ? `${resource}/${subresource}` : resource;
      return jsonAnswer(201, { ...body, status: { allowed: !options.denied?.(verb, whole) } });
    }
    if (path.endsWith('/selfsubjectrulesreviews')) {
      const rules = [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'] }];
      return jsonAnswer(201, { ...body, status: { resourceRules: rules, nonResourceRules: [], incomplete: false } });
    }
    if (path.endsWith('/selfsubjectreviews')) {
      return jsonAnswer(201, { ...body, status: { userInfo: { username: 'tester' } } });
    }
    return undefined;
  }

  async function handle(request: SimulatedRequest): Promise<Answer> {
    const url = new URL(request.target, 'http://api');
    const body = request.body.length > 0 ? JSON.parse(request.body.toString('utf8')) : {};
    if (!WRITES.has(request.method)) return read(url, request);
    const reviewed = review(url.pathname, body);
    if (reviewed) return reviewed;
    const call: Call = { method: request.method, path: url.pathname, dryRun: isDryRun(url, body), body };
    const { dryRun } = call;
    (dryRun ? dryRuns : writes).push(`${request.method} ${url.pathname}`);
    const fault = options.fault?.(call);
    if (fault && !fault.applied) return faulty(fault);
    const why = options.admission?.(call);
    if (why) return statusAnswer(403, 'Forbidden', `admission webhook "guard.example" denied the request: ${why}`);
    const answer = await writeTo(url, request, body, dryRun);
    return fault ? faulty(fault) : answer;
  }

  function writeTo(url: URL, request: SimulatedRequest, body: RawObject, dryRun: boolean): Answer {
    const place = placeOf(url.pathname);
    if (!place) return pageNotFound();
    if (request.method === 'POST') {
      if (place.subresource === 'eviction') return evict(place, body);
      return create(place, body, dryRun);
    }
    if (request.method === 'PATCH') return change(place, request, body, dryRun);
    return request.method === 'DELETE' ? remove(place, body, dryRun) : pageNotFound();
  }

  function read(url: URL, request: SimulatedRequest): Answer {
    const { pathname } = url;
    const given = options.other?.(url, cluster);
    if (given) return given;
    if (pathname === '/version') return jsonAnswer(200, { major: '1', minor: '34', gitVersion: 'v1.34.4' });
    if (pathname === '/readyz') return { is: 'answer', status: 200, headers: {}, body: Buffer.from('ok') };
    const parts = pathname.split('/').filter(Boolean);
    const accept = String(request.headers.accept ?? '');
    if (parts.length === 1 && (parts[0] === 'api' || parts[0] === 'apis'))
      return discoveryRoot(parts[0], GROUPS as never, accept);
    if (parts[0] === 'apis' && parts.length === 2) return groupDocument(parts[1]!, GROUPS as never);
    if (parts[0] === 'api' && parts.length === 2) return resourceDocument('', parts[1]!, GROUPS as never);
    if (parts[0] === 'apis' && parts.length === 3) return resourceDocument(parts[1]!, parts[2]!, GROUPS as never);
    const place = placeOf(pathname);
    if (!place) return pageNotFound();
    const { resource, namespace, name } = place;
    if (name) {
      const found = objects.get(`${resource.group}/${resource.kind}/${namespace}/${name}`);
      if (!found) return objectNotFound(resource.group, resource.name, name);
      if (place.subresource === 'scale') return jsonAnswer(200, scaleOf(found));
      return place.subresource ? pageNotFound() : jsonAnswer(200, found);
    }
    const labels = (url.searchParams.get('labelSelector') ?? '')
      .split(',')
      .filter(Boolean)
      .map(pair => pair.split('='));
    const items = [...objects]
      .filter(([key]) => key.startsWith(`${resource.group}/${resource.kind}/${namespace ? `${namespace}/` : ''}`))
      .map(([, object]) => object)
      .filter(({ metadata }) => labels.every(([key, value]) => metadata.labels?.[key!] === value));
    return jsonAnswer(200, {
      kind: `${resource.kind}List`,
      apiVersion: resource.group ? `${resource.group}/${resource.version}` : resource.version,
      metadata: { resourceVersion: String(version) },
      items,
    });
  }

  const server = await serveHttp({
    name: 'mutable',
    date: undefined,
    handle,
    latency: () => 0,
    fault: () => undefined,
    record() {},
  });
  const url = `http://127.0.0.1:${server.port}`;
  return {
    ...cluster,
    url,
    kubeconfig: stringify({
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{ name: 'test', cluster: { server: url } }],
      users: [{ name: 'tester', user: { token: 'none' } }],
      contexts: [{ name: 'test', context: { cluster: 'test', user: 'tester' } }],
      'current-context': 'test',
    }),
    writes,
    dryRuns,
    at(path) {
      const place = placeOf(path);
      return place && objects.get(`${place.resource.group}/${place.resource.kind}/${place.namespace}/${place.name}`);
    },
    close: server.close,
  };
}

/** Whether the server is asked only what would be. */
export function isDryRun(url: URL, body: RawObject): boolean {
  const stated: readonly unknown[] = [
    url.searchParams.getAll('dryRun'),
    Array.isArray(body) ? [] : body.dryRun,
    Array.isArray(body) ? [] : body.deleteOptions?.dryRun,
  ].flat();
  return stated.includes('All');
}

export function faulty(fault: Fault): Answer {
  if (fault.is === 'cut') return { is: 'reset' };
  return statusAnswer(fault.status, fault.reason, fault.message ?? 'on purpose');
}

/** What the API server keeps in an annotation of a DaemonSet. */
function countTemplates(before: RawObject | undefined, next: RawObject): void {
  const key = 'deprecated.daemonset.template.generation';
  const count = Number(before?.metadata.annotations?.[key] ?? 0);
  const changed = JSON.stringify(before?.spec?.template) !== JSON.stringify(next.spec.template);
  if (changed) next.metadata.annotations = { ...next.metadata.annotations, [key]: String(count + 1) };
}

function bare(object: RawObject): RawObject {
  const { resourceVersion: _version, generation: _generation, ...metadata } = object.metadata;
  return { ...object, metadata };
}

function scaleOf({ metadata, spec, status }: RawObject): RawObject {
  const { name, namespace, uid, resourceVersion } = metadata;
  return {
    apiVersion: 'autoscaling/v1',
    kind: 'Scale',
    metadata: { name, namespace, uid, resourceVersion },
    // Go leaves a zero out.
    spec: spec.replicas === 0 ? {} : { replicas: spec.replicas ?? 1 },
    status: { replicas: status?.replicas ?? 0 },
  };
}

function immutable(before: RawObject, after: RawObject, { kind }: Resource): string | undefined {
  const differs = (read: (object: RawObject) => unknown) =>
    JSON.stringify(read(before)) !== JSON.stringify(read(after));
  if (kind === 'Secret' && before.immutable === true && differs(object => object.data)) {
    return 'data: Forbidden: field is immutable when `immutable` is set';
  }
  if (kind === 'StatefulSet' && differs(object => object.spec.volumeClaimTemplates)) {
    return "spec: Forbidden: updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden";
  }
  if (kind === 'PersistentVolumeClaim' && differs(object => ({ ...object.spec, resources: 0 }))) {
    return 'spec: Forbidden: spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims';
  }
  return undefined;
}
