import { type Gap, GapSignal } from '../../model/gap.ts';
import type { Ref, ShapeOf } from '../../model/shape.ts';
import { type Context, derived } from '../collector.ts';
import { collector as alertsCollector } from '../collectors/prometheus.alerts.ts';
import { collector as rulesCollector } from '../collectors/prometheus.rules.ts';
import { collector as targetsCollector } from '../collectors/prometheus.targets.ts';
import { collector as rulesCustomCollector } from '../collectors/prometheus-operator.rules.ts';
import { deadSelector, type Fleet, satisfies } from '../components/dead-alerts.ts';
import {
  comparedWithNothing,
  isConstant,
  type Matcher,
  parsePromql,
  type Selector,
  selectorsOf,
} from '../components/promql.ts';
import { makeUnknown } from '../components/unknown-fields.ts';
import { WATCHES, watchedComponent } from '../components/watched-components.ts';
import { gapElement, gapOf, gapsIn, known, listOrGap, orGap } from '../gaps.ts';
import { NOBODY, REF, ref } from '../objects.ts';
import { collector as componentsCollector } from './thanos.components.ts';

const SHAPE = [
  {
    alert: 'str',
    /** The PrometheusRule that it comes from; RuleGroup for a file of another kind. */
    object: REF,
    evaluator: REF,
    cluster: 'str',
    group: 'str',
    expr: 'str',
    /** The expression could be read. */
    parsed: 'bool',
    loaded: 'bool',
    /** inactive, pending or firing; '' where it is not loaded */
    state: 'str',
    firingSince: 'time',
    selectors: [
      {
        metric: 'str',
        matchers: [{ label: 'str', op: 'str', value: 'str' }],
        /** Without any series of it the alert cannot fire. */
        needed: 'bool',
        inAbsent: 'bool',
      },
    ],
    /** Values of matchers of `job`. */
    jobs: ['str'],
    /** Id of the known dead expression; '' for one that may be true. */
    known: 'str',
    knownWhy: 'str',
    knownSelector: 'str',
    replacement: 'str',
    /** A matcher of `job` that no target satisfies, though its component has targets under other jobs. */
    wrongJob: 'str',
    /** The same, inside absent(): the alert fires for ever. */
    foreverJob: 'str',
    component: 'str',
    /** Jobs that targets of that component have. */
    otherJobs: ['str'],
    /** The job of which the whole alert is `up == 0`, without another alert for its absence; '' for any other alert. */
    silentJob: 'str',
    /** Always true: Watchdog. */
    constant: 'bool',
    /** What it watches: uploads, compactor, query, store endpoints, claims, targets, always. */
    watches: ['str'],
  },
] as const;

type Row = ShapeOf<typeof SHAPE>[number];
type Loaded = ShapeOf<typeof rulesCollector.shape>[number]['rules'][number] & { readonly evaluator: Ref };

interface Meant {
  readonly alert: string;
  readonly object: Ref;
  readonly uid: string;
  readonly group: string;
  readonly expr: string;
}

export const collector = derived({
  id: 'prometheus.alert-expressions',
  about: 'Alert expressions taken apart, those that run and those that are meant, and whether each can ever be true.',
  shape: SHAPE,
  async collect(context): Promise<ShapeOf<typeof SHAPE>> {
    const [evaluators, custom, alerts] = await Promise.all([
      listOrGap(context.get(rulesCollector)),
      listOrGap(context.get(rulesCustomCollector)),
      listOrGap(context.get(alertsCollector)),
    ]);
    const { loaded, gap } = loadedAlerts(evaluators);
    const meant = known(custom).flatMap(rule =>
      rule.groups.flatMap(group =>
        group.alerts.map(alert => ({
          alert: alert.name,
          object: ref('PrometheusRule', rule.namespace, rule.name, rule.uid),
          uid: rule.uid,
          group: group.name,
          expr: alert.expr,
        })),
      ),
    );
    const jobs = await jobsOf(context);
    const fleet = await fleetOf(context);
    const rows = [
      ...meant.map(one => {
        const running = loaded.filter(
          rule => rule.uid === one.uid && rule.group === one.group && rule.name === one.alert,
        );
        const row = rowOf(one, running, context.cluster, fleet, jobs);
        return gap && running.length === 0 ? makeUnknown(row, ['loaded', 'state'], gap) : row;
      }),
      ...foreign(loaded, meant).map(running => {
        const first = running[0]!;
        const object = ref('RuleGroup', first.evaluator.namespace, first.group);
        const one = { alert: first.name, object, uid: '', group: first.group, expr: first.expr };
        return rowOf(one, running, context.cluster, fleet, jobs);
      }),
    ];
    for (const row of rows) row.firingSince = since(row, known(alerts));
    const gaps = [...gapsIn(custom), ...(gap ? [gap] : [])];
    return [...withSilence(rows), ...gaps.slice(0, 1).map(gapElement)];
  },
});

type Writable<T> = { -readonly [Field in keyof T]: T[Field] };

function loadedAlerts(evaluators: ShapeOf<typeof rulesCollector.shape>): {
  readonly loaded: readonly Loaded[];
  readonly gap: Gap | undefined;
} {
  let gap = gapsIn(evaluators)[0];
  const loaded = known(evaluators).flatMap(evaluator => {
    const rules = orGap(() => evaluator.rules);
    const unread = gapOf(rules);
    if (!unread)
      return rules.filter(rule => rule.type === 'alerting').map(rule => ({ ...rule, evaluator: evaluator.evaluator }));
    // A replica that does not run evaluates nothing; its twin tells what is loaded.
    const twin = known(evaluators).some(
      other => other !== evaluator && other.evaluator.key === evaluator.evaluator.key,
    );
    if (evaluator.running || !twin) gap = unread;
    return [];
  });
  return { loaded, gap };
}

/** Alerts that run and come from no PrometheusRule of this cluster, those of replicas together. */
function foreign(loaded: readonly Loaded[], meant: readonly Meant[]): readonly (readonly Loaded[])[] {
  const uids = new Set(meant.map(one => one.uid));
  const groups = new Map<string, Loaded[]>();
  for (const rule of loaded) {
    if (uids.has(rule.uid)) continue;
    const key = JSON.stringify([rule.evaluator.key, rule.file, rule.group, rule.name, rule.expr]);
    groups.set(key, [...(groups.get(key) ?? []), rule]);
  }
  return [...groups.values()];
}

function rowOf(one: Meant, running: readonly Loaded[], cluster: string, fleet: Fleet, jobs: Jobs): Writable<Row> {
  const node = parsePromql(one.expr);
  const selectors = node ? selectorsOf(node) : [];
  const evaluator = running[0]?.evaluator ?? NOBODY;
  const dead = selectors
    .filter(selector => selector.needed)
    .map(selector => ({ selector, reason: deadSelector(selector, fleet) }))
    .find(({ reason }) => reason !== undefined);
  const firing = running.find(rule => rule.state === 'firing') ?? running.find(rule => rule.state === 'pending');
  const row: Writable<Row> = {
    alert: one.alert,
    object: one.object,
    evaluator,
    cluster,
    group: one.group,
    expr: one.expr,
    parsed: node !== undefined,
    loaded: running.length > 0,
    state: firing?.state ?? running[0]?.state ?? '',
    firingSince: '',
    selectors: selectors.map(({ metric, matchers, needed, inAbsent }) => ({ metric, matchers, needed, inAbsent })),
    jobs: selectors.flatMap(selector => selector.matchers.filter(isJob).map(matcher => matcher.value)),
    known: dead?.reason?.id ?? '',
    knownWhy: dead?.reason?.why ?? '',
    knownSelector: dead ? inWords(dead.selector) : '',
    replacement: dead?.reason?.instead ?? '',
    wrongJob: '',
    foreverJob: '',
    component: '',
    otherJobs: [],
    silentJob: node ? silentJob(node) : '',
    constant: node !== undefined && isConstant(node),
    watches: watchesOf(selectors, node !== undefined && isConstant(node)),
  };
  const strays = orGap(() => strayJobs(selectors, one.group, evaluator, jobs));
  const gap = gapOf(strays);
  return gap ? makeUnknown(row, ['wrongJob', 'foreverJob', 'component', 'otherJobs'], gap) : { ...row, ...strays };
}

function isJob(matcher: Matcher): boolean {
  return matcher.label === 'job';
}

function inWords({ metric, matchers }: Selector): string {
  const inside = matchers.map(({ label, op, value }) => `${label}${op}"${value}"`).join(',');
  return inside === '' ? metric : `${metric}{${inside}}`;
}

function silentJob(node: NonNullable<ReturnType<typeof parsePromql>>): string {
  const selector = comparedWithNothing(node);
  if (selector?.metric !== 'up') return '';
  return selector.matchers.find(matcher => isJob(matcher) && matcher.op === '=')?.value ?? '';
}

/** An alert for the absence of the same job speaks where the other falls silent. */
function withSilence(rows: readonly Writable<Row>[]): readonly Row[] {
  const absences = rows.flatMap(row =>
    row.selectors.filter(selector => selector.inAbsent).flatMap(selector => selector.matchers.filter(isJob)),
  );
  for (const row of rows) {
    if (row.silentJob !== '' && absences.some(matcher => satisfies(row.silentJob, matcher))) row.silentJob = '';
  }
  return rows;
}

function watchesOf(selectors: readonly Selector[], constant: boolean): readonly string[] {
  const watches = WATCHES.filter(watch =>
    selectors.some(
      selector =>
        watch.metrics.test(selector.metric) &&
        (!watch.job || selector.matchers.some(matcher => isJob(matcher) && watch.job!.test(matcher.value))),
    ),
  ).map(watch => watch.id);
  const targets = selectors.some(selector => selector.metric === 'up' && !selector.matchers.some(isJob));
  return [...watches, ...(targets ? ['targets'] : []), ...(constant ? ['always'] : [])];
}

/** Jobs of all active targets, and the components behind them. */
interface Jobs {
  /** Of one Prometheus, or of all clusters for a ruler. Throws the gap where they are not all known. */
  of(evaluator: Ref): readonly { readonly job: string; readonly component: string; readonly up: boolean }[];
}

async function jobsOf(context: Context): Promise<Jobs> {
  const own = await listOrGap(context.get(targetsCollector));
  const others = await Promise.all(
    context.clusters
      .filter(other => other.cluster !== context.cluster)
      .map(other => listOrGap(other.get(targetsCollector))),
  );
  const flat = (rows: ShapeOf<typeof targetsCollector.shape>) => {
    const heard = rows.filter(row => gapOf(row) === undefined && gapOf(orGap(() => row.targets)) === undefined);
    const missed = rows.find(
      row =>
        gapOf(row) !== undefined ||
        (!heard.includes(row) && !heard.some(twin => twin.prometheus.key === row.prometheus.key)),
    );
    if (missed) throw new GapSignal(gapOf(missed) ?? gapOf(orGap(() => missed.targets))!);
    return heard.flatMap(row =>
      row.targets.map(target => ({ job: target.job, component: target.component, up: target.health === 'up' })),
    );
  };
  return {
    of: evaluator => {
      if (evaluator.kind === 'Prometheus' || known(own).some(row => row.prometheus.key === evaluator.key)) {
        return flat(own.filter(row => gapOf(row) !== undefined || row.prometheus.key === evaluator.key));
      }
      return [own, ...others].flatMap(flat);
    },
  };
}

/** Groups of rules that every chart ships: their jobs are those of the chart, there or not. */
const SHIPPED = /^(?:general\.rules|kubernetes-|node-|kube-)/;

function strayJobs(
  selectors: readonly Selector[],
  group: string,
  evaluator: Ref,
  jobs: Jobs,
): Pick<Row, 'wrongJob' | 'foreverJob' | 'component' | 'otherJobs'> {
  const none = { wrongJob: '', foreverJob: '', component: '', otherJobs: [] };
  if (evaluator.name === '' || SHIPPED.test(group)) return none;
  for (const selector of selectors) {
    if (!selector.needed && !selector.inAbsent) continue;
    const matcher = selector.matchers.find(one => isJob(one) && (one.op === '=' || one.op === '=~'));
    const component = matcher ? watchedComponent(selector) : '';
    if (!matcher || component === '') continue;
    const targets = jobs.of(evaluator);
    if (targets.some(target => satisfies(target.job, matcher))) continue;
    const same = targets.filter(target => target.component === component && (!selector.inAbsent || target.up));
    if (same.length === 0) continue;
    const text = `job${matcher.op}"${matcher.value}"`;
    const otherJobs = [...new Set(same.map(target => target.job))].sort();
    return { wrongJob: selector.inAbsent ? '' : text, foreverJob: selector.inAbsent ? text : '', component, otherJobs };
  }
  return none;
}

function since(row: Row, evaluators: ShapeOf<typeof alertsCollector.shape>): string {
  const times = evaluators.flatMap(evaluator => {
    if (evaluator.evaluator.key !== row.evaluator.key) return [];
    const alerts = orGap(() => evaluator.alerts);
    if (gapOf(alerts)) return [];
    return alerts.filter(alert => alert.name === row.alert && alert.state === 'firing').map(alert => alert.activeSince);
  });
  return times.filter(time => time !== '').sort()[0] ?? '';
}

/** Sidecars and Queries of all clusters, as far as every cluster tells them. */
async function fleetOf(context: Context): Promise<Fleet> {
  const rows = (await Promise.all(context.clusters.map(one => listOrGap(one.get(componentsCollector))))).flat();
  if (gapsIn(rows).length > 0) return { sidecarVersions: undefined, onlyEndpointFlags: undefined };
  const versions = rows.filter(row => row.component === 'sidecar').map(row => row.version);
  const queries = rows.filter(row => row.component === 'query');
  const old = queries.some(query => query.args.some(({ flag }) => flag === '--store' || flag === '--store.sd-files'));
  return {
    sidecarVersions: versions.includes('') ? undefined : versions,
    onlyEndpointFlags: queries.length === 0 ? undefined : !old,
  };
}
