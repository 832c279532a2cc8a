import type { ShapeOf } from '../../model/shape.ts';
import { derived } from '../collector.ts';
import { collector as alertmanagersCollector } from '../collectors/prometheus-operator.alertmanagers.ts';
import { collector as prometheusesCollector } from '../collectors/prometheus-operator.prometheuses.ts';
import { collector as rulersCollector } from '../collectors/prometheus-operator.thanos-rulers.ts';
import { INSTANCE, instancesOf } from '../components/instances.ts';
import { gapOf, known, listOrGap } from '../gaps.ts';
import { REF, ref } from '../objects.ts';

const SHAPE = [
  {
    ...INSTANCE,
    /** Prometheus, Alertmanager and ThanosRuler resources of the cluster, which it brings to their declared state. */
    resources: [REF],
    /** Those of which the newest generation was not looked at. */
    unobserved: [REF],
    /** There is no operator at all: the row stands for the one that lacks, and its object is the cluster. */
    absent: 'bool',
  },
] as const;

/** Seconds that an operator may need to look at a new resource. */
const NEW = 120;

const NO_OPERATOR = {
  kind: 'Cluster',
  namespace: '',
  managed: false,
  workloads: [],
  workloadExists: false,
  desired: 0,
  replicas: 0,
  shards: 0,
  paused: false,
  age: -1,
  existing: 0,
  ready: 0,
  pods: [],
  readyPods: [],
  unreadyPods: [],
  downFor: 0,
  downSince: '',
  unreadyFor: 0,
  unreadySince: '',
  leaving: 0,
  youngestUnready: -1,
  unreadyNodes: [],
  unreadyClaims: [],
  nodes: [],
  claims: [],
  updating: false,
} as const;

export const collector = derived({
  id: 'prometheus-operator.operators',
  about: 'The Prometheus Operator, found by what it runs, and the resources that it looks after.',
  core: true,
  shape: SHAPE,
  async collect(context): Promise<ShapeOf<typeof SHAPE>> {
    const [operators, prometheuses, alertmanagers, rulers] = await Promise.all([
      instancesOf(context, 'operator', []),
      context.get(prometheusesCollector),
      listOrGap(context.get(alertmanagersCollector)),
      listOrGap(context.get(rulersCollector)),
    ]);
    const rows = [
      ...known(prometheuses).map(row => ({ kind: 'Prometheus', row })),
      ...known(alertmanagers).map(row => ({ kind: 'Alertmanager', row })),
      ...known(rulers).map(row => ({ kind: 'ThanosRuler', row })),
    ];
    const refOf = ({ kind, row }: (typeof rows)[number]) => ref(kind, row.namespace, row.name, row.uid);
    const resources = rows.map(refOf);
    const unobserved = rows.filter(({ row }) => row.observedGeneration < row.generation).map(refOf);
    const found = operators.map(operator =>
      gapOf(operator) ? (operator as never) : { ...operator, resources, unobserved, absent: false },
    );
    const waiting = rows.filter(({ row }) => row.observedGeneration < row.generation && row.age >= NEW);
    // Of namespaces that were not read, a gap element stands for the operator that may run there.
    if (operators.length > 0 || waiting.length === 0) return found;
    const object = ref('Cluster', '', context.cluster);
    return [{ ...NO_OPERATOR, object, name: context.cluster, resources, unobserved: waiting.map(refOf), absent: true }];
  },
});
