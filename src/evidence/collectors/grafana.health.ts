import type { ShapeOf } from '../../model/shape.ts';
import { fetched } from '../collector.ts';
import { bodyOf } from '../components/ask.ts';
import { askEach, type Part, replicasOf } from '../components/replicas.ts';
import { known, listOrGap } from '../gaps.ts';
import { malformed, NOBODY, REF, ref, text } from '../objects.ts';
import { collector as deploymentsCollector } from './kubernetes.deployments.ts';
import { collector as claimsCollector } from './kubernetes.persistent-volume-claims.ts';
import { collector as podsCollector } from './kubernetes.pods.ts';

const SHAPE = [
  {
    pod: REF,
    workload: REF,
    answers: 'bool',
    status: 'int',
    /** ok or failing */
    database: 'str',
    version: 'str',
    replicas: 'int',
    /** Of the Deployment; '' for another workload. */
    strategy: 'str',
    /** sqlite, or other where a database is named in the environment */
    databaseKind: 'str',
    claim: REF,
    /** Access mode of its claim; '' without one. */
    volumeAccess: 'str',
  },
] as const;

type Row = ShapeOf<typeof SHAPE>[number];

export const collector = fetched({
  id: 'grafana.health',
  about: 'What each Grafana says of itself and of its database, and what the database lies on.',
  needs: [{ verbs: ['get'], group: '', resource: 'pods/proxy' }],
  shape: SHAPE,
  async collect(context): Promise<ShapeOf<typeof SHAPE>> {
    const [replicas, deployments, claims, pods] = await Promise.all([
      replicasOf(context, ['grafana']),
      listOrGap(context.get(deploymentsCollector)),
      listOrGap(context.get(claimsCollector)),
      context.get(podsCollector),
    ]);
    const health: Part<Row> = {
      fields: ['answers', 'status', 'database', 'version'],
      async read(asker) {
        // A failing database is answered with 503 and the same body.
        const answer = await asker.answer('/api/health');
        let body: { database?: unknown; version?: unknown };
        try {
          body = JSON.parse(answer.body);
        } catch {
          bodyOf(answer);
          throw malformed(`/api/health answered ${answer.status} with something that is not JSON`);
        }
        return {
          answers: true,
          status: answer.status,
          database: text(body?.database),
          version: text(body?.version),
        };
      },
    };
    return askEach<Row>(
      context,
      { id: 'grafana.health', core: false },
      replicas,
      replica => {
        const deployment = known(deployments).find(row => row.key === replica.workload.key);
        const pod = known(pods).find(row => row.key === replica.pod.key);
        const container = pod?.containers.find(row => row.container === replica.container);
        const mounted = new Set(container?.mounts.map(mount => mount.volume));
        const volume = pod?.volumes.find(row => row.kind === 'claim' && mounted.has(row.name));
        const claim = volume ? ref('PersistentVolumeClaim', replica.pod.namespace, volume.source) : NOBODY;
        return {
          pod: replica.pod,
          workload: replica.workload,
          get replicas() {
            return replica.replicas;
          },
          strategy: deployment?.strategy ?? '',
          databaseKind: container?.env.some(variable => variable.name.startsWith('GF_DATABASE_')) ? 'other' : 'sqlite',
          claim,
          volumeAccess: known(claims).find(row => row.key === claim.key)?.accessModes[0] ?? '',
        };
      },
      [health],
    );
  },
});
