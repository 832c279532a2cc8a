import { GapSignal } from '../../model/gap.ts';
import type { Ref, ShapeOf } from '../../model/shape.ts';
import { type Context, derived } from '../collector.ts';
import { collector as namespacesCollector } from '../collectors/kubernetes.namespaces.ts';
import { collector as configCollector } from '../collectors/prometheus.config.ts';
import { collector as rulesCollector } from '../collectors/prometheus.rules.ts';
import { collector as targetsCollector } from '../collectors/prometheus.targets.ts';
import { collector as configsCollector } from '../collectors/prometheus-operator.alertmanager-configs.ts';
import { collector as alertmanagersCollector } from '../collectors/prometheus-operator.alertmanagers.ts';
import { choiceOf, inWords, type Refusal, takersOf } from '../components/taken.ts';
import { findKnown, gapsIn, known, listOrGap } from '../gaps.ts';
import { NOBODY, REF, ref } from '../objects.ts';
import { collector as selectionCollector } from './prometheus-operator.selection.ts';

const SHAPE = {
  object: REF,
  /** Who selects it; else who comes nearest to it. */
  takers: [REF],
  steps: [
    {
      /** chosen, accepted, finds, configured, answers */
      step: 'str',
      /** done, stopped or unknown */
      state: 'str',
      says: 'str',
      /** Commands or words that get it over this step; '' where none are known. */
      remedy: 'str',
    },
  ],
} as const;

type Chain = ShapeOf<typeof SHAPE>;
type Step = Chain['steps'][number];
type Judged = Omit<Step, 'step' | 'remedy'> & { readonly remedy?: string };
type Row = ShapeOf<typeof selectionCollector.shape>[number];
type Target = ShapeOf<typeof targetsCollector.shape>[number]['targets'][number];

/** What the operator calls the resource's field for each kind. */
const FIELDS: Readonly<Record<string, string>> = {
  ServiceMonitor: 'serviceMonitor',
  PodMonitor: 'podMonitor',
  Probe: 'probe',
  ScrapeConfig: 'scrapeConfig',
  PrometheusRule: 'rule',
  AlertmanagerConfig: 'alertmanagerConfig',
};

export const collector = derived({
  id: 'prometheus-operator.scrape-chain',
  about: 'How far one monitor, PrometheusRule or AlertmanagerConfig gets on its way into effect, step by step.',
  params: ['kind', 'namespace', 'name', 'service'],
  shape: SHAPE,
  async collect(context): Promise<Chain> {
    const { kind, namespace, name } = context.params as Record<'kind' | 'namespace' | 'name', string>;
    if (kind === 'AlertmanagerConfig') return ofAlertmanagerConfig(context, namespace, name);
    const row = findKnown(
      await context.get(selectionCollector),
      one => one.kind === kind && one.namespace === namespace && one.name === name,
    );
    if (!row) return { object: NOBODY, takers: [], steps: [] };
    const isRule = kind === 'PrometheusRule';
    const configured = await judged('configured', () => (isRule ? rulesRun(row, context) : jobsRun(row, context)));
    const runs = configured.state === 'done';
    const steps = [
      await judged('chosen', () => chosen(row, runs, context.cluster)),
      await judged('accepted', () => accepted(row)),
      ...(kind === 'ServiceMonitor' || kind === 'PodMonitor'
        ? [await judged('finds', () => finds(row, context.cluster))]
        : []),
      configured,
      ...(isRule ? [] : [await judged('answers', () => answers(row, context))]),
    ];
    return { object: row.object, takers: takersOfRow(row), steps };
  },
});

async function judged(step: string, judge: () => Judged | Promise<Judged>): Promise<Step> {
  try {
    return { step, remedy: '', ...(await judge()) };
  } catch (error) {
    if (!(error instanceof GapSignal)) throw error;
    return { step, state: 'unknown', says: error.gap.detail, remedy: '' };
  }
}

function takersOfRow(row: Row): readonly Ref[] {
  try {
    return row.selected ? row.selectedBy : [row.nearest];
  } catch (error) {
    if (error instanceof GapSignal) return [];
    throw error;
  }
}

function chosen(row: Row, runs: boolean, cluster: string): Judged {
  // What runs is taken by somebody, whether or not this reader may see it.
  if (runs && !isSelected(row)) return { state: 'done', says: 'by a resource that cannot be seen from here: it runs' };
  if (row.selected) return { state: 'done', says: `by ${row.selectedBy.map(({ key }) => key).join(', ')}` };
  if (row.takers === 0) return { state: 'stopped', says: `there is no resource here that could choose a ${row.kind}` };
  const refusal = { missing: row.missing, key: row.missingKey, wanted: row.missingWanted };
  return {
    state: 'stopped',
    says: `by nobody; the nearest is ${row.nearest.key}, and ${row.missingWhy}`,
    remedy: selectionRemedy(row.object, row.nearest, refusal, row.wantedLabels, cluster),
  };
}

function isSelected(row: Row): boolean {
  try {
    return row.selected;
  } catch (error) {
    if (error instanceof GapSignal) return false;
    throw error;
  }
}

function selectionRemedy(
  { kind, namespace, name }: Ref,
  nearest: Ref,
  refusal: Pick<Refusal, 'missing' | 'key' | 'wanted'>,
  labels: Readonly<Record<string, string>>,
  cluster: string,
): string {
  const kubectl = `kubectl --context ${cluster}`;
  const field = FIELDS[kind] ?? '';
  const widen = (path: string) =>
    `${kubectl} -n ${nearest.namespace} patch ${nearest.kind.toLowerCase()} ${nearest.name} --type merge -p '{"spec":{"${path}":{}}}'`;
  const pairs = Object.entries(labels).map(([key, value]) => `${key}=${value}`);
  if (refusal.missing === 'label' && pairs.length > 0)
    return `${kubectl} -n ${namespace} label ${kind.toLowerCase()} ${name} ${pairs.join(' ')}`;
  if (refusal.missing === 'namespace' && refusal.key !== '')
    return `${kubectl} label namespace ${namespace} ${refusal.key}=${refusal.wanted.split(', ')[0]}`;
  if (refusal.missing === 'namespace') return widen(`${field}NamespaceSelector`);
  if (refusal.missing === 'nil') return widen(`${field}Selector`);
  return `change the label ${refusal.key} of ${kind} ${name}, or the selector of ${nearest.key}`;
}

function accepted({ rejected, rejectedWhy }: Pick<Row, 'rejected' | 'rejectedWhy'>): Judged {
  return rejected
    ? { state: 'stopped', says: `the operator refuses it: ${rejectedWhy}` }
    : { state: 'done', says: 'nothing says that the operator refuses it' };
}

function finds(row: Row, cluster: string): Judged {
  const patch = (body: string) =>
    `kubectl --context ${cluster} -n ${row.namespace} patch ${row.kind.toLowerCase()} ${row.name} ${body}`;
  const isPods = row.kind === 'PodMonitor';
  const things = isPods ? row.matchedPods : row.matchedServices;
  if (row.scaledToZero) return { state: 'stopped', says: 'the workload that it would find has no replicas' };
  if (things.length === 0) {
    const [elsewhere] = row.elsewhere;
    const where = row.searchNamespaces.length === 0 ? 'any namespace' : row.searchNamespaces.join(', ');
    const nothing = `it matches no ${isPods ? 'pod' : 'Service'} in ${where}`;
    if (elsewhere) {
      const names = JSON.stringify([...new Set([...row.searchNamespaces, elsewhere.namespace])]);
      return {
        state: 'stopped',
        says: `${nothing}; ${elsewhere.key} would match, and lies elsewhere`,
        remedy: patch(`--type merge -p '{"spec":{"namespaceSelector":{"matchNames":${names}}}}'`),
      };
    }
    if (row.nearestService.name !== '') {
      return {
        state: 'stopped',
        says: `${nothing}; the nearest is ${row.nearestService.key}, which lacks ${row.nearestServiceLacks}`,
        remedy: `kubectl --context ${cluster} -n ${row.nearestService.namespace} label service ${row.nearestService.name} ${row.nearestServiceLacks}`,
      };
    }
    const instead = row.podsInstead > 0 ? `; ${row.podsInstead} pods would match, but it looks at Services` : '';
    return { state: 'stopped', says: nothing + instead };
  }
  // Container ports are not known while there is no pod.
  const wrong = row.endpoints.find(({ fault, port }) => fault !== '' && (port !== '' || row.matchedPods.length > 0));
  if (wrong) {
    const field = isPods ? 'podMetricsEndpoints' : 'endpoints';
    const value = `[{"op":"replace","path":"/spec/${field}/${wrong.index}/port","value":"${wrong.likely}"}]`;
    return {
      state: 'stopped',
      says: `its port ${wrong.port || wrong.targetPort} is none of ${keysOf(things)}, which have ${wrong.portNames.join(', ') || 'no named port'}`,
      remedy: wrong.likely === '' ? '' : patch(`--type json -p '${value}'`),
    };
  }
  if (row.targetsExpected === 0) return { state: 'stopped', says: `nothing is behind ${keysOf(things)}` };
  const size = `${row.targetsExpected} ${row.targetsExpected === 1 ? 'address' : 'addresses'}`;
  return { state: 'done', says: `${keysOf(things)}, ${size}` };
}

function keysOf(things: readonly Ref[]): string {
  // Two replicas of a Prometheus are one resource.
  const keys = [...new Set(things.map(({ key }) => key))];
  const shown = keys.slice(0, 3);
  return keys.length > shown.length ? `${shown.join(', ')} and ${keys.length - shown.length} more` : shown.join(', ');
}

async function jobsRun(row: Row, context: Context): Promise<Judged> {
  const rows = await context.get(configCollector);
  const holding = known(rows).filter(one => settled(() => one.jobs.some(job => row.jobNames.includes(job))) === true);
  if (holding.length > 0)
    return { state: 'done', says: `in the configuration of ${keysOf(holding.map(one => one.pod))}` };
  const own = await ofTakers(row, rows, one => one.prometheus.key);
  // Reading the jobs of a replica that was not heard throws its gap.
  for (const one of own) void one.jobs;
  return own.length === 0
    ? { state: 'stopped', says: 'no Prometheus that chooses it runs' }
    : { state: 'stopped', says: `not in the configuration that ${keysOf(own.map(one => one.pod))} runs with` };
}

async function rulesRun(row: Row, context: Context): Promise<Judged> {
  const rows = await context.get(rulesCollector);
  const loaded = known(rows).filter(one => settled(() => one.groups.some(({ uid }) => uid === row.uid)) === true);
  if (loaded.length > 0)
    return { state: 'done', says: `its groups run in ${keysOf(loaded.map(one => one.evaluator))}` };
  if (row.groups.length === 0) return { state: 'stopped', says: 'it has no groups' };
  const own = await ofTakers(row, rows, one => one.evaluator.key);
  for (const one of own) void one.groups;
  return own.length === 0
    ? { state: 'stopped', says: 'nobody who chooses it runs' }
    : { state: 'stopped', says: `none of its groups runs in ${keysOf(own.map(one => one.evaluator))}` };
}

/** What those who choose the object say. Throws a gap where one of them may not have been heard. */
async function ofTakers<One>(row: Row, rows: readonly One[], keyOf: (one: One) => string): Promise<readonly One[]> {
  const keys = new Set(row.selectedBy.map(({ key }) => key));
  const own = known(rows).filter(one => keys.has(keyOf(one)));
  const [gap] = gapsIn(rows);
  if (own.length === 0 && gap) throw new GapSignal(gap);
  return own;
}

function settled<Value>(read: () => Value): Value | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof GapSignal) return undefined;
    throw error;
  }
}

async function answers(row: Row, context: Context): Promise<Judged> {
  const rows = await context.get(targetsCollector);
  const lists = known(rows).map(one => settled(() => one.targets));
  const own = lists
    .flatMap(targets => targets ?? [])
    .filter(target => isOwn(target, row, context.params.service ?? ''));
  const byUrl = new Map<string, Target>();
  for (const target of own) if (byUrl.get(target.url)?.health !== 'up') byUrl.set(target.url, target);
  const all = [...byUrl.values()];
  if (all.length === 0) {
    const [gap] = gapsIn(rows);
    if (gap) throw new GapSignal(gap);
    for (const one of known(rows)) if (one.running) void one.targets;
    return { state: 'stopped', says: 'no Prometheus has a target of it' };
  }
  const up = all.filter(({ health }) => health === 'up').length;
  const down = all.find(({ health }) => health === 'down');
  const size = `${up} of ${all.length} ${all.length === 1 ? 'target' : 'targets'} up`;
  if (down) return { state: 'stopped', says: `${size}; ${down.url}: ${down.error}` };
  return up === 0 ? { state: 'unknown', says: 'its targets were not scraped yet' } : { state: 'done', says: size };
}

function isOwn({ monitor, labels }: Target, { object }: Row, service: string): boolean {
  if (monitor.key !== object.key) return false;
  const { namespace = '', service: name = '' } = labels;
  return service === '' || name === '' || `${namespace}/${name}` === service;
}

async function ofAlertmanagerConfig(context: Context, namespace: string, name: string): Promise<Chain> {
  const config = findKnown(
    await context.get(configsCollector),
    one => one.namespace === namespace && one.name === name,
  );
  if (!config) return { object: NOBODY, takers: [], steps: [] };
  const object = ref('AlertmanagerConfig', namespace, name, config.uid);
  const [alertmanagers, namespaces] = await Promise.all([
    listOrGap(context.get(alertmanagersCollector)),
    listOrGap(context.get(namespacesCollector)),
  ]);
  const takers = takersOf(alertmanagers, 'Alertmanager', row => row.selector);
  const { selectedBy, nearest, gap } = choiceOf(
    {
      namespace,
      labels: config.labels,
      namespaceLabels: () => findKnown(namespaces, one => one.name === namespace)?.labels ?? {},
    },
    takers,
  );
  const choose = (): Judged => {
    if (selectedBy.length > 0) return { state: 'done', says: `by ${selectedBy.map(({ key }) => key).join(', ')}` };
    if (gap) throw new GapSignal(gap);
    const first = nearest?.missing[0];
    if (!nearest || !first) return { state: 'stopped', says: 'there is no Alertmanager resource here' };
    const labels = nearest.missing.filter(one => one.missing === 'label').map(one => [one.key, one.wanted]);
    return {
      state: 'stopped',
      says: `by nobody; the nearest is ${nearest.taker.ref.key}, and ${inWords(first, config.labels)}`,
      remedy: selectionRemedy(object, nearest.taker.ref, first, Object.fromEntries(labels), context.cluster),
    };
  };
  return {
    object,
    takers: selectedBy.length > 0 ? selectedBy : nearest ? [nearest.taker.ref] : [],
    steps: [await judged('chosen', choose), await judged('accepted', () => accepted(config))],
  };
}
