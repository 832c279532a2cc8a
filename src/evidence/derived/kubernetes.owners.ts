import type { Ref, ShapeOf } from '../../model/shape.ts';
import type { RawObject } from '../../model/source.ts';
import { type Context, derived } from '../collector.ts';
import { collector as daemonSetsCollector } from '../collectors/kubernetes.daemon-sets.ts';
import { collector as deploymentsCollector } from '../collectors/kubernetes.deployments.ts';
import { collector as podsCollector } from '../collectors/kubernetes.pods.ts';
import { collector as statefulSetsCollector } from '../collectors/kubernetes.stateful-sets.ts';
import { collector as alertmanagersCollector } from '../collectors/prometheus-operator.alertmanagers.ts';
import { collector as prometheusesCollector } from '../collectors/prometheus-operator.prometheuses.ts';
import { collector as rulersCollector } from '../collectors/prometheus-operator.thanos-rulers.ts';
import { gapOf, gapped, known, listOrGap } from '../gaps.ts';
import { NOBODY, REF, ref, text } from '../objects.ts';
import { LAST_WRITERS } from '../writers.ts';

const ROW = {
  object: REF,
  /** ReplicaSet → Deployment, pod → StatefulSet …; the pod itself where nothing controls it. */
  workload: REF,
  /** The custom resource if an operator owns the workload, else the workload. */
  top: REF,
  operator: 'str',
  /** '', argocd, flux, helm or kubectl-apply */
  gitops: 'str',
  gitopsObject: 'str',
  /** A controller would undo a change of the workload within minutes. */
  reverts: 'bool',
  /** Where a change has to be made. */
  writeTo: REF,
  lastWriters: LAST_WRITERS,
} as const;

type Owners = ShapeOf<typeof ROW>;

/** What of a row of any Kubernetes kind tells its owners. */
interface Managed {
  readonly key: string;
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly owner: Ref;
  readonly managedBy: string;
  readonly lastWriters?: Owners['lastWriters'];
}

const OPERATORS: Readonly<Record<string, string>> = {
  Prometheus: 'prometheus-operator',
  PrometheusAgent: 'prometheus-operator',
  Alertmanager: 'prometheus-operator',
  ThanosRuler: 'prometheus-operator',
};

export const collector = derived({
  id: 'kubernetes.owners',
  about: 'The workload that a pod or a workload belongs to in the end, and who would undo a change to it.',
  core: true,
  shape: [ROW],
  async collect(context) {
    const [pods, deployments, statefulSets, daemonSets, resources, selfHealing] = await Promise.all([
      listOrGap(context.get(podsCollector)),
      listOrGap(context.get(deploymentsCollector)),
      listOrGap(context.get(statefulSetsCollector)),
      listOrGap(context.get(daemonSetsCollector)),
      customResources(context),
      applicationsThatHeal(context),
    ]);
    const workloads = [
      ...deployments.map(row => withKind(row, 'Deployment')),
      ...statefulSets.map(row => withKind(row, 'StatefulSet')),
      ...daemonSets.map(row => withKind(row, 'DaemonSet')),
    ];
    const rows = new Map<string, Owners>();
    for (const workload of workloads) {
      if (gapOf(workload)) continue;
      rows.set(workload.row.key, ownersOf(workload, resources, selfHealing));
    }
    const ofPods = pods.map(pod => {
      if (gapOf(pod)) return pod as never;
      const object = ref('Pod', pod.namespace, pod.name, pod.uid);
      const ofWorkload = rows.get(pod.workload.key);
      if (ofWorkload) return { ...ofWorkload, object };
      return ownersOf(
        { kind: pod.workload.kind, row: { ...pod, owner: NOBODY } },
        resources,
        selfHealing,
        pod.workload,
        object,
      );
    });
    const gaps = workloads.filter(workload => gapOf(workload) !== undefined) as never[];
    return [...rows.values(), ...ofPods, ...gaps];
  },
});

interface Workload {
  readonly kind: string;
  readonly row: Managed;
}

function withKind(row: Managed, kind: string): Workload {
  return gapOf(row) ? (row as never) : { kind, row };
}

function ownersOf(
  { kind, row }: Workload,
  resources: ReadonlyMap<string, Managed>,
  selfHealing: SelfHealing,
  workload: Ref = ref(kind, row.namespace, row.name, row.uid),
  object: Ref = workload,
): Owners {
  const top = row.owner.name && row.owner.kind !== 'Node' ? row.owner : workload;
  const owned = top !== workload;
  const managed = owned ? (resources.get(top.key) ?? row) : row;
  const operator = owned ? (OPERATORS[top.kind] ?? (row.labels['app.kubernetes.io/managed-by'] || top.kind)) : '';
  const gitops = gitopsOf(managed);
  const gitopsObject = gitopsObjectOf(managed, gitops);
  return {
    object,
    workload,
    top,
    operator,
    gitops,
    gitopsObject,
    reverts: operator !== '' || gitops === 'flux' || (gitops === 'argocd' && selfHealing(gitopsObject)),
    writeTo: top,
    lastWriters: row.lastWriters ?? [],
  };
}

/** A chart's label alone is the output of a template that was applied: only a release has the release's annotation. */
function gitopsOf({ managedBy, labels, lastWriters = [] }: Managed): string {
  if (managedBy) return managedBy;
  const applied = (manager: string) =>
    lastWriters.some(writer => writer.manager === manager && writer.operation === 'Apply');
  if (applied('argocd-controller')) return 'argocd';
  if (applied('kustomize-controller') || applied('helm-controller')) return 'flux';
  if (applied('kubectl') || labels['app.kubernetes.io/managed-by'] === 'Helm') return 'kubectl-apply';
  return applied('helm') ? 'helm' : '';
}

function gitopsObjectOf({ labels, annotations }: Managed, gitops: string): string {
  if (gitops === 'argocd') {
    return annotations['argocd.argoproj.io/tracking-id']?.split(':')[0] || labels['argocd.argoproj.io/instance'] || '';
  }
  if (gitops === 'flux') {
    return labels['kustomize.toolkit.fluxcd.io/name'] || labels['helm.toolkit.fluxcd.io/name'] || '';
  }
  return gitops === 'helm' ? (annotations['meta.helm.sh/release-name'] ?? '') : '';
}

async function customResources(context: Context): Promise<ReadonlyMap<string, Managed>> {
  const lists = await Promise.all([
    listOrGap(context.get(prometheusesCollector)),
    listOrGap(context.get(alertmanagersCollector)),
    listOrGap(context.get(rulersCollector)),
  ]);
  return new Map(lists.flatMap(rows => known<Managed>(rows)).map(row => [row.key, row]));
}

type SelfHealing = (application: string) => boolean;

/** Argo CD undoes a change where the Application heals itself. Where that cannot be read, it is taken to. */
async function applicationsThatHeal(context: Context): Promise<SelfHealing> {
  const answer = await gapped(context.source.list('argoproj.io', 'applications'));
  if (gapOf(answer)) return () => true;
  const heals = (item: RawObject) => item?.spec?.syncPolicy?.automated?.selfHeal === true;
  const calm = new Set(answer.items.filter(item => !heals(item)).map(item => text(item?.metadata?.name)));
  return application => !calm.has(application);
}
