import { Agent, request } from 'node:https';
import type { RawObject } from '../../src/model/source.ts';
import { syntheticBundle } from '../../src/simulator/synthetic.ts';

/** Writes under way at once. */
const AT_ONCE = 64;
export interface Target {
  readonly url: string;
  readonly token: string;
}

/** Objects with the path that their kind is created under, up to the namespace. */
type Batch = readonly [root: string, resource: string, objects: readonly RawObject[]];

/** Fills an API server with the objects of a simulated cluster, and says how many there are of each kind. */
export async function fillServer(target: Target, pods: number): Promise<Readonly<Record<string, number>>> {
  const agent = new Agent({ keepAlive: true, maxSockets: AT_ONCE, rejectUnauthorized: false });
  /** The uids that the server gave, by those of the simulation. */
  const uids = new Map<string, string>();
  const counts: Record<string, number> = {};

  async function put(root: string, resource: string, object: RawObject): Promise<void> {
    const { namespace, name } = object.metadata;
    const path = `${root}${namespace ? `/namespaces/${namespace}` : ''}/${resource}`;
    const made = await send(agent, target, 'POST', path, asNew(object, uids));
    uids.set(object.metadata.uid, made.metadata.uid);
    if (!object.status || resource === 'namespaces') return;
    await send(agent, target, 'PUT', `${path}/${name}/status`, { ...made, status: object.status });
  }

  try {
    for (const [root, resource, objects] of await batches(pods)) {
      await eachOf(objects, object => put(root, resource, object));
      counts[resource] = objects.length;
    }
  } finally {
    agent.destroy();
  }
  return counts;
}

/** Owners before what they own. */
async function batches(pods: number): Promise<readonly Batch[]> {
  const bundle = await syntheticBundle({ clusters: 1, podsPerCluster: pods });
  const listed = async (kind: string): Promise<readonly RawObject[]> => {
    const content = await bundle.read(`clusters/cluster-001/objects/${kind}.json`);
    return JSON.parse(Buffer.from(content!).toString('utf8')).items;
  };
  const deployments = await listed('apps/v1/deployments');
  const templates = new Map(deployments.map(({ metadata, spec }) => [metadata.uid, spec.template]));
  const replicaSets = (await listed('apps/v1/replicasets')).map(replicaSet =>
    withTemplate(replicaSet, templates.get(replicaSet.metadata.ownerReferences[0].uid)),
  );
  return [
    ['/api/v1', 'namespaces', await listed('core/v1/namespaces')],
    ['/api/v1', 'nodes', await listed('core/v1/nodes')],
    ['/api/v1', 'configmaps', await listed('core/v1/configmaps')],
    ['/api/v1', 'services', await listed('core/v1/services')],
    ['/apis/apps/v1', 'deployments', deployments],
    ['/apis/apps/v1', 'replicasets', replicaSets],
    ['/api/v1', 'pods', await listed('core/v1/pods')],
    ['/api/v1', 'events', await listed('core/v1/events')],
    ['/apis/discovery.k8s.io/v1', 'endpointslices', await listed('discovery.k8s.io/v1/endpointslices')],
  ];
}

/** The simulation leaves the templates of ReplicaSets out; a server wants them. */
function withTemplate(replicaSet: RawObject, template: RawObject): RawObject {
  const metadata = { labels: replicaSet.spec.selector.matchLabels };
  return { ...replicaSet, spec: { ...replicaSet.spec, template: { metadata, spec: template.spec } } };
}

/** As a client sends it: without what the server gives. */
function asNew(object: RawObject, uids: ReadonlyMap<string, string>): RawObject {
  const { uid: _u, resourceVersion: _v, creationTimestamp: _c, ...metadata } = object.metadata;
  const owners = (metadata.ownerReferences ?? []).map((owner: RawObject) => ({
    ...owner,
    uid: uids.get(owner.uid) ?? owner.uid,
  }));
  return { ...object, metadata: { ...metadata, ...(owners.length > 0 && { ownerReferences: owners }) } };
}

async function eachOf(objects: readonly RawObject[], work: (object: RawObject) => Promise<void>): Promise<void> {
  let next = 0;
  const worker = async () => {
    while (next < objects.length) await work(objects[next++]);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

/** What the server stored. Throws what it said where it did not accept. */
function send(agent: Agent, target: Target, method: string, path: string, object: RawObject): Promise<RawObject> {
  return new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${target.token}`, 'content-type': 'application/json' };
    const asked = request(`${target.url}${path}`, { method, agent, headers }, response => {
      const chunks: Buffer[] = [];
      response.on('data', chunk => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        const answer = JSON.parse(Buffer.concat(chunks).toString('utf8'));
        if (response.statusCode! < 300) resolve(answer);
        else reject(new Error(`${method} ${path}: ${answer.message}`));
      });
    });
    asked.on('error', reject);
    asked.end(JSON.stringify(object));
  });
}
