import type { ShapeOf } from '../../model/shape.ts';
import { derived } from '../collector.ts';
import { flagValue, flagValues, switchedOn } from '../components/command-line.ts';
import { gapElement, gapsIn, known } from '../gaps.ts';
import { REF } from '../objects.ts';
import { seconds } from '../quantities.ts';
import { collector as componentsCollector } from './thanos.components.ts';

const ROW = {
  query: REF,
  containerKey: 'str',
  replicaLabels: ['str'],
  autoDownsampling: 'bool',
  partialResponse: 'bool',
  /** Seconds. */
  timeout: 'int',
  maxConcurrent: 'int',
  lookbackDelta: 'int',
  /** A Query Frontend runs in the same cluster, and whether it has a response cache. */
  frontend: 'bool',
  cache: 'bool',
  cacheType: 'str',
  version: 'str',
} as const;

type Row = ShapeOf<typeof ROW>;

export const collector = derived({
  id: 'thanos.query-settings',
  about: 'How each Query is set up: replica labels, limits, downsampling, and whether a cache stands before it.',
  shape: [ROW],
  async collect(context): Promise<readonly Row[]> {
    const components = await context.get(componentsCollector);
    const all = known(components);
    const frontends = all.filter(component => component.component === 'query-frontend');
    const caches = frontends
      .map(
        ({ args }) =>
          flagValue(args, '--query-range.response-cache-config') ||
          flagValue(args, '--query-range.response-cache-config-file'),
      )
      .filter(value => value !== '');
    const rows = new Map<string, Row>();
    for (const component of all) {
      if (component.component !== 'query') continue;
      const { args } = component;
      rows.set(component.subject.key, {
        query: component.subject,
        containerKey: component.containerKey,
        replicaLabels: flagValues(args, '--query.replica-label').flatMap(value => value.split(',')),
        autoDownsampling: switchedOn(args, '--query.auto-downsampling'),
        partialResponse: switchedOn(args, '--query.partial-response', true),
        timeout: seconds(flagValue(args, '--query.timeout', '2m')),
        maxConcurrent: Number(flagValue(args, '--query.max-concurrent', '20')),
        lookbackDelta: seconds(flagValue(args, '--query.lookback-delta', '5m')),
        frontend: frontends.length > 0,
        cache: caches.length > 0,
        cacheType: /type:\s*([A-Za-z-]+)/.exec(caches[0] ?? '')?.[1] ?? '',
        version: component.version,
      });
    }
    return [...rows.values(), ...gapsIn(components).map(gap => gapElement(gap) as Row)];
  },
});
