import type { RawObject } from '../../model/source.ts';
import { fetched, listOf } from '../collector.ts';
import { listOrGap } from '../gaps.ts';
import { list, strings, text } from '../objects.ts';
import { bytes } from '../quantities.ts';

const FIELDS = {
  /** ResourceQuota or LimitRange */
  kind: 'str',
  hard: 'map',
  used: 'map',
  /** Resources of which nothing is left. */
  exhausted: ['str'],
  containerMax: 'map',
  containerMin: 'map',
  /** Limits that a container gets that names none. */
  defaults: 'map',
  defaultRequests: 'map',
} as const;

const EMPTY = {
  hard: {},
  used: {},
  exhausted: [],
  containerMax: {},
  containerMin: {},
  defaults: {},
  defaultRequests: {},
};

const quotas = listOf({
  id: 'kubernetes.resource-quotas',
  about: '',
  group: '',
  resource: 'resourcequotas',
  kind: 'ResourceQuota',
  fields: FIELDS,
  row({ status, spec }) {
    const hard = strings(status?.hard ?? spec?.hard);
    const used = strings(status?.used);
    const exhausted = Object.keys(hard).filter(name => used[name] !== undefined && isUsedUp(used[name], hard[name]!));
    return { ...EMPTY, kind: 'ResourceQuota', hard, used, exhausted };
  },
});

/** Quantities keep their order when they are taken in thousandths: CPU may be `100m`. */
function isUsedUp(used: string, hard: string): boolean {
  const amount = (value: string) => (value.endsWith('m') ? bytes(value.slice(0, -1)) : bytes(value) * 1000);
  return amount(used) >= amount(hard);
}

const limitRanges = listOf({
  id: 'kubernetes.resource-quotas',
  about: '',
  group: '',
  resource: 'limitranges',
  kind: 'LimitRange',
  fields: FIELDS,
  row({ spec }) {
    const ofContainer: RawObject = list(spec?.limits).find(limit => text(limit?.type) === 'Container');
    return {
      ...EMPTY,
      kind: 'LimitRange',
      containerMax: strings(ofContainer?.max),
      containerMin: strings(ofContainer?.min),
      defaults: strings(ofContainer?.default),
      defaultRequests: strings(ofContainer?.defaultRequest),
    };
  },
});

export const collector = fetched({
  id: 'kubernetes.resource-quotas',
  about: 'Quotas and limit ranges.',
  needs: [...quotas.needs, ...limitRanges.needs],
  shape: quotas.shape,
  async collect(context) {
    const [first, second] = await Promise.all([
      listOrGap(quotas.collect(context)),
      listOrGap(limitRanges.collect(context)),
    ]);
    return [...first, ...second];
  },
});
