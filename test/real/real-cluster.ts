import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { stringify } from 'yaml';
import type { RawObject } from '../../src/model/source.ts';
import type { Answer } from '../../src/simulator/answers.ts';
import { type SimulatedRequest, serveHttp } from '../../src/simulator/local-server.ts';
import { CONTROLLERS } from '../mutable-server/controllers.ts';
import { groupIn, placeOf } from '../mutable-server/resources.ts';
import {
  type Call,
  type Cluster,
  faulty,
  isDryRun,
  type MutableServer,
  type ServerOptions,
  WRITES,
} from '../mutable-server/server.ts';
import {
  type ApiClient,
  accepted,
  bindRoles,
  installCustomResources,
  openApiClient,
  pathOf,
  until,
} from './api-client.ts';
import { startControlPlane, TOKENS } from './control-plane.ts';

export interface RealCluster {
  /** The real API server in the place of the server of the tests: the same objects, faults and controllers. */
  start(options: ServerOptions): Promise<MutableServer>;
  /** What the user with the shipped roles asked for, and was refused. */
  forbidden(): readonly string[];
  close(): Promise<void>;
}

const PROBE = 'probe-of-the-webhook';
const DECISION = 'authorization.k8s.io/decision';
const WEBHOOK = '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations';
const READING = [{ apiGroups: ['*'], resources: ['*'], verbs: ['get', 'list'] }];

/**
 * A real API server with what the tests of actions need: custom resources, one user with exactly the shipped roles, one
 * that may only look, and a webhook. What controllers, kubelets and the garbage collector would do is written to it by us.
 */
export async function startRealCluster(assets: string): Promise<RealCluster> {
  const plane = await startControlPlane(assets);
  const api = openApiClient(plane, TOKENS.tester);
  await installCustomResources(api);
  const roles = ['reader.yaml', 'fixer.yaml', 'fixer-nodes.yaml'];
  await bindRoles(api, roles, { apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'fixer' });
  await installLooker(api);
  const known = new Set(['kube-system']);
  let sweep = async () => {};
  return {
    async start(options) {
      // There is one cluster only: what was left by the one before goes first.
      await sweep();
      const { server, clear } = await startOn(api, plane.certificate, known, options);
      sweep = clear;
      return server;
    },
    forbidden: () =>
      plane
        .audited()
        .filter(({ user, annotations }) => user.username === 'fixer' && annotations?.[DECISION] === 'forbid')
        .map(({ verb, requestURI }) => `${verb} ${requestURI}`),
    async close() {
      api.close();
      await plane.close();
    },
  };
}

async function installLooker(api: ApiClient): Promise<void> {
  const rbac = '/apis/rbac.authorization.k8s.io/v1';
  const metadata = { name: 'looker' };
  const role = { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', metadata, rules: READING };
  accepted(await api.json('POST', `${rbac}/clusterroles`, role), 'looker');
  const binding = {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRoleBinding',
    metadata,
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'looker' },
    subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'looker' }],
  };
  accepted(await api.json('POST', `${rbac}/clusterrolebindings`, binding), 'looker');
}

type Objects = Map<string, RawObject>;

const keyOf = (object: RawObject) =>
  `${groupIn(object)}/${object.kind}/${object.metadata.namespace ?? ''}/${object.metadata.name}`;

async function startOn(
  api: ApiClient,
  certificate: { readonly cert: string; readonly key: string },
  namespaces: Set<string>,
  options: ServerOptions,
): Promise<{ readonly server: MutableServer; readonly clear: () => Promise<void> }> {
  const controllers = options.controllers ?? CONTROLLERS;
  const token = options.denied ? TOKENS.looker : TOKENS.fixer;
  /** What lies in the cluster: only we and whoever is tested write there. */
  const objects: Objects = new Map();
  /** The uids that the server gave, by those of the scene. */
  const uids = new Map<string, string>();
  const writes: string[] = [];
  const dryRuns: string[] = [];
  let pending: (() => Promise<void>)[] = [];

  async function look(object: RawObject): Promise<RawObject | undefined> {
    const found = await api.json('GET', pathOf(object, object.metadata.name));
    if (found.kind !== 'Status') {
      objects.set(keyOf(found), found);
      return found;
    }
    if (found.code !== 404) throw new Error(found.message);
    objects.delete(keyOf(object));
    return undefined;
  }

  /** Makes the object, or makes it so. */
  async function write(object: RawObject): Promise<void> {
    const { namespace = '', name } = object.metadata;
    if (namespace && !namespaces.has(namespace)) {
      await api.json('POST', '/api/v1/namespaces', { metadata: { name: namespace } });
      namespaces.add(namespace);
    }
    if (object.kind === 'Namespace') return;
    const live = await look(object);
    const {
      uid = '',
      resourceVersion: _v,
      creationTimestamp: _c,
      generation: _g,
      managedFields: _m,
      ...metadata
    } = object.metadata;
    const references = (metadata.ownerReferences ?? []).map((reference: RawObject) => ({
      ...reference,
      uid: uids.get(reference.uid) ?? reference.uid,
    }));
    const body = {
      ...object,
      metadata: {
        ...metadata,
        ...(references.length > 0 ? { ownerReferences: references } : {}),
        ...(live ? { resourceVersion: live.metadata.resourceVersion } : {}),
      },
    };
    const what = `${object.kind} ${name}`;
    let stored = live
      ? accepted(await api.json('PUT', pathOf(object, name), body), what)
      : accepted(await api.json('POST', `${pathOf(object, '')}?fieldValidation=Strict`, body), what);
    if (object.status) {
      const answer = await api.json('PUT', `${pathOf(object, name)}/status`, { ...stored, status: object.status });
      stored = accepted(answer, `the status of ${what}`);
    }
    if (uid) uids.set(uid, stored.metadata.uid);
    await look(stored);
  }

  /** What kubelet, volume controller and garbage collector do once something is deleted. */
  async function finishDeletion(before: RawObject, orphans: boolean): Promise<RawObject | undefined> {
    const path = pathOf(before, before.metadata.name);
    const left = await look(before);
    if (left && !left.metadata.deletionTimestamp) return left;
    const dependants = [...objects.values()].filter(({ metadata }) =>
      metadata.ownerReferences?.some((reference: RawObject) => reference.uid === before.metadata.uid),
    );
    for (const dependant of dependants) {
      const place = pathOf(dependant, dependant.metadata.name);
      if (!orphans) await destroy(dependant);
      else {
        await api.json('PATCH', place, { metadata: { ownerReferences: null } }, 'application/merge-patch+json');
        await look(dependant);
      }
    }
    if (!left) return undefined;
    const own = new Set(['orphan', 'kubernetes.io/pvc-protection']);
    const finalizers = (left.metadata.finalizers ?? []).filter((name: string) => !own.has(name));
    await api.json('PATCH', path, { metadata: { finalizers } }, 'application/merge-patch+json');
    if (before.kind === 'Pod') await api.json('DELETE', `${path}?gracePeriodSeconds=0`);
    return look(before);
  }

  async function destroy(object: RawObject): Promise<void> {
    const path = pathOf(object, object.metadata.name);
    await api.json('DELETE', `${path}?gracePeriodSeconds=0&propagationPolicy=Background`);
    if ((await look(object))?.metadata.finalizers?.length > 0) {
      await api.json('PATCH', path, { metadata: { finalizers: null } }, 'application/merge-patch+json');
      await look(object);
    }
  }

  /** For controllers, which do not wait: what they write is on the server before anything else is asked of it. */
  const cluster: Cluster = {
    all: kind => [...objects.values()].filter(object => object.kind === kind),
    find: (kind, namespace, name) =>
      [...objects.values()].find(
        ({ kind: other, metadata }) =>
          other === kind && (metadata.namespace ?? '') === namespace && metadata.name === name,
      ),
    put(object) {
      const copy = structuredClone(object);
      copy.metadata.uid ??= `pending-${objects.size}-${pending.length}`;
      objects.set(keyOf(copy), copy);
      pending.push(() => write(copy));
      return copy;
    },
    remove(object) {
      objects.delete(keyOf(object));
      pending.push(() => destroy(object));
    },
    setStatus(object, status) {
      objects.set(keyOf(object), { ...objects.get(keyOf(object)), status });
      pending.push(async () => {
        const live = await look(object);
        if (!live) return;
        const path = `${pathOf(object, object.metadata.name)}/status`;
        accepted(await api.json('PUT', path, { ...live, status }), `the status of ${object.metadata.name}`);
        await look(object);
      });
    },
  };

  async function settle(): Promise<void> {
    while (pending.length > 0) {
      const now = pending;
      pending = [];
      for (const work of now) await work();
    }
  }

  async function afterWrite(call: Call): Promise<void> {
    const place = placeOf(call.path)!;
    const { kind, group, version } = place.resource;
    const name = place.name || call.body.metadata.name;
    const apiVersion = group ? `${group}/${version}` : version;
    const object = { kind, apiVersion, metadata: { name, namespace: place.namespace || undefined } };
    const before = objects.get(keyOf(object));
    const isDeletion = call.method === 'DELETE' || place.subresource === 'eviction';
    const after =
      isDeletion && before
        ? await finishDeletion(before, call.body?.propagationPolicy === 'Orphan')
        : await look(object);
    for (const controller of controllers) {
      controller(cluster, before, after && objects.get(keyOf(after)));
      await settle();
    }
  }

  let tail: Promise<unknown> = Promise.resolve();

  async function handle(request: SimulatedRequest): Promise<Answer> {
    const url = new URL(request.target, 'http://api');
    const given = WRITES.has(request.method) ? undefined : options.other?.(url, cluster);
    if (given) return given;
    // One after the other, as what controllers do to one write stands before the next one is seen.
    const answered = tail.then(() => forward(request, url));
    tail = answered.catch(() => {});
    return answered;
  }

  async function forward(request: SimulatedRequest, url: URL): Promise<Answer> {
    await settle();
    const isReview = /\/selfsubject\w*reviews$/.test(url.pathname);
    const isWrite = WRITES.has(request.method) && !isReview;
    const body = isWrite && request.body.length > 0 ? JSON.parse(request.body.toString('utf8')) : {};
    const call: Call = { method: request.method, path: url.pathname, dryRun: isDryRun(url, body), body };
    if (isWrite) (call.dryRun ? dryRuns : writes).push(`${request.method} ${url.pathname}`);
    const fault = isWrite ? options.fault?.(call) : undefined;
    if (fault && !fault.applied) return faulty(fault);
    const { host: _host, connection: _connection, 'content-length': _length, ...headers } = request.headers;
    const answer = await api.send({
      method: request.method,
      target: request.target,
      token,
      headers: { ...(headers as Record<string, string>), 'content-length': String(request.body.length) },
      body: request.body,
    });
    if (isWrite && !call.dryRun && answer.status < 300) await afterWrite(call);
    if (fault) return faulty(fault);
    const { 'transfer-encoding': _encoding, 'content-length': _size, connection: _kept, ...kept } = answer.headers;
    return { is: 'answer', status: answer.status, headers: kept as Record<string, string>, body: answer.body };
  }

  // Owners first: what they own names them.
  const owned = (object: RawObject) => (object.metadata.ownerReferences ? 1 : 0);
  for (const object of [...options.objects].sort((a, b) => owned(a) - owned(b))) await write(object);
  const webhook = options.admission && (await installWebhook(api, certificate, options.admission));
  const server = await serveHttp({
    name: 'real',
    date: undefined,
    handle,
    latency: () => 0,
    fault: () => undefined,
    record() {},
  });
  const url = `http://127.0.0.1:${server.port}`;
  const kubeconfig = stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'test', cluster: { server: url } }],
    users: [{ name: 'tester', user: { token: 'none' } }],
    contexts: [{ name: 'test', context: { cluster: 'test', user: 'tester' } }],
    'current-context': 'test',
  });
  async function clear(): Promise<void> {
    await webhook?.();
    await settle();
    for (const object of [...objects.values()]) await destroy(object);
  }
  const at = (path: string) => {
    const place = placeOf(path);
    return place && objects.get(`${place.resource.group}/${place.resource.kind}/${place.namespace}/${place.name}`);
  };
  return { server: { ...cluster, url, kubeconfig, writes, dryRuns, at, close: server.close }, clear };
}

/** Refuses whatever is written, apart from reviews. Resolves once the API server asks it. */
async function installWebhook(
  api: ApiClient,
  certificate: { readonly cert: string; readonly key: string },
  why: (call: Call) => string | undefined,
): Promise<() => Promise<void>> {
  const server = createServer(certificate, (request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', chunk => chunks.push(chunk));
    request.on('end', () => {
      const { request: asked } = JSON.parse(Buffer.concat(chunks).toString('utf8'));
      const call = { method: asked.operation, path: '', dryRun: asked.dryRun === true, body: asked.object ?? {} };
      // By the probe it is told from outside whether the webhook is asked.
      const message = asked.name === PROBE ? 'the probe' : why(call);
      const answer = { uid: asked.uid, allowed: message === undefined, status: { code: 403, message } };
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify({ apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', response: answer }));
    });
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const name = 'guard.example.com';
  const configuration = {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingWebhookConfiguration',
    metadata: { name },
    webhooks: [
      {
        name,
        admissionReviewVersions: ['v1'],
        sideEffects: 'None',
        clientConfig: {
          url: `https://127.0.0.1:${(server.address() as AddressInfo).port}/`,
          caBundle: Buffer.from(certificate.cert).toString('base64'),
        },
        rules: [
          {
            apiGroups: [
              '',
              'apps',
              'storage.k8s.io',
              'networking.k8s.io',
              'monitoring.coreos.com',
              'cilium.io',
              'longhorn.io',
            ],
            apiVersions: ['*'],
            resources: ['*/*'],
            operations: ['CREATE', 'UPDATE', 'DELETE'],
          },
        ],
      },
    ],
  };
  accepted(await api.json('POST', WEBHOOK, configuration), name);
  const probe = { metadata: { name: PROBE, namespace: 'default' } };
  const tried = () => api.json('POST', '/api/v1/namespaces/default/configmaps?dryRun=All', probe);
  await until(async () => (await tried()).code === 403, 'the webhook to be asked');
  return async () => {
    await api.json('DELETE', `${WEBHOOK}/${name}`);
    await until(async () => (await tried()).kind === 'ConfigMap', 'the webhook not to be asked any more');
    server.closeAllConnections();
    server.close();
  };
}
