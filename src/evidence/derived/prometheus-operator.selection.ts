import { type Gap, GapSignal } from '../../model/gap.ts';
import type { Ref, ShapeOf } from '../../model/shape.ts';
import { type Context, derived } from '../collector.ts';
import { collector as deploymentsCollector } from '../collectors/kubernetes.deployments.ts';
import { collector as slicesCollector } from '../collectors/kubernetes.endpoint-slices.ts';
import { collector as namespacesCollector } from '../collectors/kubernetes.namespaces.ts';
import { collector as podsCollector } from '../collectors/kubernetes.pods.ts';
import { collector as servicesCollector } from '../collectors/kubernetes.services.ts';
import { collector as statefulSetsCollector } from '../collectors/kubernetes.stateful-sets.ts';
import { collector as agentsCollector } from '../collectors/prometheus-operator.agents.ts';
import { collector as monitorsCollector } from '../collectors/prometheus-operator.monitors.ts';
import { collector as prometheusesCollector } from '../collectors/prometheus-operator.prometheuses.ts';
import { collector as rulesCollector } from '../collectors/prometheus-operator.rules.ts';
import { collector as rulersCollector } from '../collectors/prometheus-operator.thanos-rulers.ts';
import { FOUND, type Found, findTargets, NOTHING_FOUND, type Objects } from '../components/monitor-targets.ts';
import { isControlPlane } from '../components/pools.ts';
import { choiceOf, inWords, type Taker, takersOf } from '../components/taken.ts';
import { makeUnknown } from '../components/unknown-fields.ts';
import { gapElement, gapOf, gapsIn, known, listOrGap } from '../gaps.ts';
import { NOBODY, REF, ref } from '../objects.ts';

const SHAPE = [
  {
    object: REF,
    kind: 'str',
    namespace: 'str',
    name: 'str',
    uid: 'str',
    labels: 'map',
    age: 'int',
    managedBy: 'str',
    /** Refused by the operator, by the object's own status. */
    rejected: 'bool',
    rejectedWhy: 'str',
    /** A control plane part that kubeadm binds to 127.0.0.1. */
    knownNoise: 'bool',
    selected: 'bool',
    selectedBy: [REF],
    /** Resources that could select an object of this kind. */
    takers: 'int',
    /** The resource of which it misses the fewest requirements. */
    nearest: REF,
    /** label, expression, namespace or nil: the first requirement of the nearest that it does not meet; '' if selected. */
    missing: 'str',
    missingKey: 'str',
    missingWanted: 'str',
    missingFound: 'str',
    /** The same in words. */
    missingWhy: 'str',
    /** Labels that would make the nearest select it. */
    wantedLabels: 'map',
    /** Scrape jobs that the operator makes of it; for a PrometheusRule its groups. */
    jobNames: ['str'],
    groups: ['str'],
    alerts: ['str'],
    ...FOUND,
  },
] as const;

type Row = ShapeOf<typeof SHAPE>[number];

interface Selectable {
  readonly object: Ref;
  readonly kind: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly age: number;
  readonly managedBy: string;
  readonly rejected: boolean;
  readonly rejectedWhy: string;
  readonly jobNames: readonly string[];
  readonly groups: readonly string[];
  readonly alerts: readonly string[];
}

const SELECTORS: Readonly<Record<string, 'serviceMonitor' | 'podMonitor' | 'probe' | 'scrapeConfig'>> = {
  ServiceMonitor: 'serviceMonitor',
  PodMonitor: 'podMonitor',
  Probe: 'probe',
  ScrapeConfig: 'scrapeConfig',
};

export const collector = derived({
  id: 'prometheus-operator.selection',
  about: 'For each monitor and PrometheusRule: who takes it, what keeps it from being taken, and what it would find.',
  core: true,
  shape: SHAPE,
  async collect(context): Promise<ShapeOf<typeof SHAPE>> {
    const [monitors, rules, prometheuses, agents, rulers, namespaces] = await Promise.all([
      context.get(monitorsCollector),
      listOrGap(context.get(rulesCollector)),
      listOrGap(context.get(prometheusesCollector)),
      listOrGap(context.get(agentsCollector)),
      listOrGap(context.get(rulersCollector)),
      listOrGap(context.get(namespacesCollector)),
    ]);
    const { objects, unread } = await objectsOf(context);
    const namespaceLabels = (namespace: string) => {
      const row = known(namespaces).find(candidate => candidate.name === namespace);
      if (row) return row.labels;
      const gap = gapsIn(namespaces)[0];
      if (gap) throw new GapSignal(gap);
      return {};
    };
    const take = (object: Selectable, takers: readonly (Taker | Gap)[]) => taken(object, takers, namespaceLabels);

    const monitorRows = monitors.map(monitor => {
      const gap = gapOf(monitor);
      if (gap) return gapElement(gap);
      const prefix = SELECTORS[monitor.kind]!;
      const takers = [
        ...takersOf(prometheuses, 'Prometheus', row => row.selectors[prefix]),
        ...takersOf(agents, 'PrometheusAgent', row => row.selectors[prefix]),
      ];
      const row = take(
        {
          object: ref(monitor.kind, monitor.namespace, monitor.name, monitor.uid),
          ...monitor,
          jobNames: monitor.jobs,
          groups: [],
          alerts: [],
        },
        takers,
      );
      return rowOf(row, findTargets(monitor, objects), unread);
    });
    const ruleRows = rules.map(rule => {
      const gap = gapOf(rule);
      if (gap) return gapElement(gap);
      const row = take(
        {
          object: ref('PrometheusRule', rule.namespace, rule.name, rule.uid),
          kind: 'PrometheusRule',
          ...rule,
          jobNames: [],
          groups: rule.groups.map(group => group.name),
          alerts: rule.groups.flatMap(group => group.alerts.map(alert => alert.name)),
        },
        [
          ...takersOf(prometheuses, 'Prometheus', taker => taker.selectors.rule),
          ...takersOf(rulers, 'ThanosRuler', taker => taker.ruleSelector),
        ],
      );
      return rowOf(row, NOTHING_FOUND, undefined);
    });
    return [...monitorRows, ...ruleRows];
  },
});

/** What monitors find, and the gap of what could not be read of it. */
async function objectsOf(context: Context): Promise<{ readonly objects: Objects; readonly unread: Gap | undefined }> {
  const [services, slices, pods, deployments, statefulSets] = await Promise.all([
    listOrGap(context.get(servicesCollector)),
    listOrGap(context.get(slicesCollector)),
    listOrGap(context.get(podsCollector)),
    listOrGap(context.get(deploymentsCollector)),
    listOrGap(context.get(statefulSetsCollector)),
  ]);
  const workloads = [...known(deployments), ...known(statefulSets)];
  return {
    objects: { services: known(services), slices: known(slices), pods: known(pods), workloads },
    unread: gapsIn([...services, ...slices, ...pods, ...deployments, ...statefulSets])[0],
  };
}

type Taken = Omit<Row, keyof Found>;

/** Fields that depend on resources that could not be read are unknown, unless a known one selects the object. */
function taken(
  object: Selectable,
  takers: readonly (Taker | Gap)[],
  namespaceLabels: (namespace: string) => Readonly<Record<string, string>>,
): { readonly row: Taken; readonly gap: Gap | undefined } {
  const { namespace } = object.object;
  const candidate = { namespace, labels: object.labels, namespaceLabels: () => namespaceLabels(namespace) };
  const { selectedBy, nearest, gap } = choiceOf(candidate, takers);
  const first = nearest?.missing[0];
  const row: Taken = {
    object: object.object,
    kind: object.kind,
    namespace,
    name: object.object.name,
    uid: object.object.uid,
    labels: object.labels,
    age: object.age,
    managedBy: object.managedBy,
    rejected: object.rejected,
    rejectedWhy: object.rejectedWhy,
    knownNoise: isControlPlane(object.object.name, object.labels),
    selected: selectedBy.length > 0,
    selectedBy,
    takers: takers.length,
    nearest: nearest?.taker.ref ?? NOBODY,
    missing: first?.missing ?? '',
    missingKey: first?.key ?? '',
    missingWanted: first?.wanted ?? '',
    missingFound: first?.found ?? '',
    missingWhy: first ? inWords(first, object.labels) : '',
    wantedLabels: Object.fromEntries(
      (nearest?.missing ?? []).filter(one => one.missing === 'label').map(one => [one.key, one.wanted]),
    ),
    jobNames: object.jobNames,
    groups: object.groups,
    alerts: object.alerts,
  };
  return { row, gap: selectedBy.length > 0 ? undefined : gap };
}

const OF_SELECTION = [
  'selected',
  'selectedBy',
  'nearest',
  'missing',
  'missingKey',
  'missingWanted',
  'missingFound',
  'missingWhy',
  'wantedLabels',
];

/** Puts both halves of a row together; what depends on lists that could not be read in whole is unknown. */
function rowOf(half: ReturnType<typeof taken>, found: Found, unread: Gap | undefined): Row {
  const row: Row = { ...half.row, ...found };
  if (half.gap) makeUnknown(row, OF_SELECTION, half.gap);
  if (unread) makeUnknown(row, Object.keys(FOUND), unread);
  return row;
}
