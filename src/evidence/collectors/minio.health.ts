import { GapSignal } from '../../model/gap.ts';
import type { ShapeOf } from '../../model/shape.ts';
import { fetched } from '../collector.ts';
import { ask } from '../components/ask.ts';
import { collector as componentsCollector } from '../derived/thanos.components.ts';
import { known, withUnknownFields } from '../gaps.ts';
import { malformed, REF, ref } from '../objects.ts';

const ROW = {
  /** `Pod namespace/name` of the MinIO server. */
  pod: REF,
  workload: REF,
  container: 'str',
  containerKey: 'str',
  live: 'bool',
  clusterOk: 'bool',
  /** Of `/minio/health/cluster`. */
  status: 'int',
  inCluster: 'bool',
  claims: [REF],
} as const;

type Row = ShapeOf<typeof ROW>;

export const collector = fetched({
  id: 'minio.health',
  about: "MinIO's own view of itself, where it runs in a cluster of the fleet.",
  needs: [{ verbs: ['get'], group: '', resource: 'pods/proxy' }],
  shape: [ROW],
  async collect(context): Promise<readonly Row[]> {
    const servers = known(await context.get(componentsCollector)).filter(
      component => component.component === 'minio' && component.running,
    );
    return Promise.all(
      servers.map(async server => {
        const base = {
          pod: server.pod,
          workload: server.workload,
          container: server.container,
          containerKey: server.containerKey,
          inCluster: true,
          claims:
            server.dataVolume.kind === 'claim'
              ? [ref('PersistentVolumeClaim', server.namespace, server.dataVolume.name)]
              : [],
        };
        const listener = { namespace: server.namespace, pod: server.pod.name, port: server.httpPort };
        try {
          const [live, cluster] = await Promise.all([
            ask(context.source, listener, '/minio/health/live'),
            ask(context.source, listener, '/minio/health/cluster'),
          ]);
          // MinIO says it by the status alone: words with a 200 are somebody else's.
          if ([live, cluster].some(answer => answer.status === 200 && answer.body.trim() !== '')) {
            throw malformed('the answer is not one of MinIO');
          }
          return { ...base, live: live.status === 200, clusterOk: cluster.status === 200, status: cluster.status };
        } catch (error) {
          if (!(error instanceof GapSignal)) throw error;
          return withUnknownFields<Row>(base, { ...error.gap, evidence: 'minio.health' }, [
            'live',
            'clusterOk',
            'status',
          ]);
        }
      }),
    );
  },
});
