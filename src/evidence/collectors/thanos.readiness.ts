import { GapSignal } from '../../model/gap.ts';
import type { ShapeOf } from '../../model/shape.ts';
import type { Context } from '../collector.ts';
import { fetched } from '../collector.ts';
import { ask } from '../components/ask.ts';
import { type Component, collector as componentsCollector } from '../derived/thanos.components.ts';
import { gapOf, withUnknownFields } from '../gaps.ts';
import { REF } from '../objects.ts';

const ROW = {
  pod: REF,
  container: 'str',
  containerKey: 'str',
  component: 'str',
  subject: REF,
  /** It gave an HTTP answer, whatever its status. */
  answers: 'bool',
  /** `/-/ready` answers 200. */
  ready: 'bool',
  healthy: 'bool',
  /** Of `/-/ready`; 0 for a container that does not run. */
  status: 'int',
  body: 'str',
} as const;

type Row = ShapeOf<typeof ROW>;

export const collector = fetched({
  id: 'thanos.readiness',
  about: 'What /-/ready and /-/healthy of every Thanos container say, sidecars included, which have no probe.',
  core: true,
  needs: [{ verbs: ['get'], group: '', resource: 'pods/proxy' }],
  shape: [ROW],
  async collect(context): Promise<readonly Row[]> {
    const components = await context.get(componentsCollector);
    return Promise.all(
      components
        .filter(row => gapOf(row) || (row.thanos && row.containerKey !== '' && row.component !== 'tools'))
        .map(async row => (gapOf(row) ? (row as never) : readinessOf(context, row))),
    );
  },
});

async function readinessOf(context: Context, component: Component): Promise<Row> {
  const { pod, container, containerKey, subject } = component;
  const base = { pod, container, containerKey, component: component.component, subject };
  if (!component.running) return { ...base, answers: false, ready: false, healthy: false, status: 0, body: '' };
  const listener = { namespace: pod.namespace, pod: pod.name, port: component.httpPort };
  const [ready] = await Promise.allSettled([ask(context.source, listener, `${component.prefix}/-/ready`)]);
  // What is ready is healthy, and who cannot be asked one cannot be asked the other.
  const isUnready = ready.status === 'fulfilled' && ready.value.status !== 200;
  const [healthy] = isUnready
    ? await Promise.allSettled([ask(context.source, listener, `${component.prefix}/-/healthy`)])
    : [ready];
  const fromReady =
    ready.status === 'fulfilled'
      ? {
          answers: true,
          ready: ready.value.status === 200,
          status: ready.value.status,
          body: ready.value.body.trim().slice(0, 200),
        }
      : withUnknownFields<Partial<Row>>({}, gapIn(ready.reason), ['answers', 'ready', 'status', 'body']);
  const fromHealthy =
    healthy.status === 'fulfilled'
      ? { healthy: healthy.value.status === 200 }
      : withUnknownFields<Partial<Row>>({}, gapIn(healthy.reason), ['healthy']);
  return Object.defineProperties(base, {
    ...Object.getOwnPropertyDescriptors(fromReady),
    ...Object.getOwnPropertyDescriptors(fromHealthy),
  }) as Row;
}

function gapIn(error: unknown) {
  if (error instanceof GapSignal) return { ...error.gap, evidence: 'thanos.readiness' };
  throw error;
}
