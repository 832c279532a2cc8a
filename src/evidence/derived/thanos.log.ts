import { GapSignal } from '../../model/gap.ts';
import type { ShapeOf } from '../../model/shape.ts';
import { type Context, derived } from '../collector.ts';
import { collector as logCollector } from '../collectors/logs.signatures.ts';
import { collector as loadedCollector } from '../collectors/thanos.loaded-blocks.ts';
import { collector as metricsCollector } from '../collectors/thanos.metrics.ts';
import { freshFor, isFresh } from '../components/freshness.ts';
import { gapOf, known, listOrGap } from '../gaps.ts';
import { collector as componentsCollector } from './thanos.components.ts';

const SHAPE = {
  containerKey: 'str',
  lines: 'int',
  toAge: 'int',
  /** Seconds that a line of this component may be old and still tell the present. */
  freshFor: 'int',
  hits: [
    {
      id: 'str',
      count: 'int',
      first: 'time',
      last: 'time',
      lastAge: 'int',
      open: 'bool',
      /** Recent enough for the component, in a run that counts, and without a later sign of success. */
      fresh: 'bool',
      previous: 'bool',
      sample: 'str',
      level: 'str',
      captured: 'map',
      containerKey: 'str',
    },
  ],
} as const;

type Shape = ShapeOf<typeof SHAPE>;

export const collector = derived({
  id: 'thanos.log',
  about: "What a Thanos component's log says, and which of it tells the present.",
  params: ['namespace', 'pod', 'container'],
  shape: SHAPE,
  async collect(context): Promise<Shape> {
    const { namespace = '', pod = '', container = '' } = context.params;
    const [log, components] = await Promise.all([
      context.get(logCollector, { namespace, pod, container }),
      context.get(componentsCollector),
    ]);
    const own = known(components).find(
      row => row.pod.namespace === namespace && row.pod.name === pod && row.container === container,
    );
    const containerKey = own?.containerKey ?? '';
    const succeeded = own ? await successes(context, containerKey) : [];
    const all = known(log.hits);
    return {
      containerKey,
      lines: log.lines,
      toAge: log.toAge,
      freshFor: own ? freshFor(own) : 0,
      hits: log.hits.map(hit =>
        gapOf(hit)
          ? (hit as never)
          : { ...hit, fresh: own !== undefined && isFresh(hit, all, own, succeeded), containerKey },
      ),
    };
  },
});

async function successes(context: Context, containerKey: string): Promise<readonly string[]> {
  const [metrics, loaded] = await Promise.all([
    listOrGap(context.get(metricsCollector)),
    listOrGap(context.get(loadedCollector)),
  ]);
  const times: string[] = [];
  const note = (read: () => string) => {
    try {
      times.push(read());
    } catch (error) {
      if (!(error instanceof GapSignal)) throw error;
    }
  };
  for (const row of known(metrics)) if (row.containerKey === containerKey) note(() => row.lastUpload);
  for (const row of known(loaded)) {
    if (row.containerKey === containerKey) note(() => (row.error === '' ? row.refreshed : ''));
  }
  return times.filter(time => time !== '');
}
