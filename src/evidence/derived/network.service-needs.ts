import { type Gap, GapSignal } from '../../model/gap.ts';
import type { Ref, ShapeOf } from '../../model/shape.ts';
import { derived } from '../collector.ts';
import { collector as daemonSetsCollector } from '../collectors/kubernetes.daemon-sets.ts';
import { collector as deploymentsCollector } from '../collectors/kubernetes.deployments.ts';
import { collector as slicesCollector } from '../collectors/kubernetes.endpoint-slices.ts';
import { collector as ingressesCollector } from '../collectors/kubernetes.ingresses.ts';
import { collector as podsCollector } from '../collectors/kubernetes.pods.ts';
import { collector as servicesCollector } from '../collectors/kubernetes.services.ts';
import { collector as statefulSetsCollector } from '../collectors/kubernetes.stateful-sets.ts';
import { collector as webhooksCollector } from '../collectors/kubernetes.webhooks.ts';
import { gapsIn, groupedBy, known, listOrGap, mapKnown, orGap } from '../gaps.ts';
import { REF, ref } from '../objects.ts';
import { selectable } from '../selects.ts';
import { isClusterDns } from '../system-components.ts';
import { collector as componentsCollector } from './thanos.components.ts';
import { collector as endpointsCollector } from './thanos.query-endpoints.ts';

const ROW = {
  service: REF,
  age: 'int',
  /** Who needs it: components that it selects, Ingresses, webhooks, Queries that name it. Empty: nothing of the stack does. */
  neededBy: ['str'],
  /** An Ingress, a load balancer address or a webhook leads to it, so that it is missed even while it is scaled to 0. */
  ledTo: 'bool',
  /** A Query or a Ruler was given its name as an address. */
  named: 'bool',
  /** Addresses that are ready and have a port. */
  ready: 'int',
  /** '', none-selected, none-ready, port-not-in-pod or scaled-to-zero */
  why: 'str',
  /** Seconds; -1 while something is ready. */
  unservedFor: 'int',
  since: 'time',
  selector: 'map',
  selectorText: 'str',
  pods: [REF],
  /** `pod: containers that are not ready` */
  unready: ['str'],
  /** Workloads of the pods that it selects, and those whose template it selects. */
  workloads: [REF],
  /** Resources that own these workloads: what findings about them are about. */
  subjects: [REF],
  nodes: ['str'],
  ports: [{ name: 'str', port: 'int', targetPort: 'str', resolved: 'bool' }],
  containerPorts: ['str'],
  /** A pod that it selects has a Thanos sidecar. */
  hasSidecar: 'bool',
  /** The workload of the namespace with the most labels in common, where none is selected. */
  nearest: REF,
  nearestLacks: ['str'],
} as const;

type Row = ShapeOf<typeof ROW>;
type Service = ShapeOf<typeof servicesCollector.shape>[number];
type Pod = ShapeOf<typeof podsCollector.shape>[number];
type Slice = ShapeOf<typeof slicesCollector.shape>[number];

interface Workload {
  readonly namespace: string;
  readonly ref: Ref;
  readonly labels: Readonly<Record<string, string>>;
  readonly replicas: number;
}

/** Parts of the cluster itself have rules of their own. */
const NOT_OF_THE_STACK: ReadonlySet<string> = new Set([
  'coredns',
  'config-reloader',
  'csi',
  'cilium',
  'longhorn-manager',
  'longhorn-instance-manager',
]);
const NOBODY: Ref = { kind: '', namespace: '', name: '', uid: '', key: '' };

export const collector = derived({
  id: 'network.service-needs',
  about: 'Services with a selector: who of the stack needs each, whether anything is ready behind it, and why not.',
  core: true,
  shape: [ROW],
  async collect(context): Promise<readonly Row[]> {
    const [services, slices, pods, components, ingresses, webhooks] = await Promise.all([
      context.get(servicesCollector),
      listOrGap(context.get(slicesCollector)),
      listOrGap(context.get(podsCollector)),
      listOrGap(context.get(componentsCollector)),
      listOrGap(context.get(ingressesCollector)),
      listOrGap(context.get(webhooksCollector)),
    ]);
    // Whose arguments are not known is a gap of the components already.
    const endpoints = known(await listOrGap(context.get(endpointsCollector)));
    const [deployments, statefulSets, daemonSets] = await Promise.all([
      listOrGap(context.get(deploymentsCollector)),
      listOrGap(context.get(statefulSetsCollector)),
      listOrGap(context.get(daemonSetsCollector)),
    ]);
    const workloads: readonly Workload[] = [
      ...known(deployments).map(one => ({
        namespace: one.namespace,
        ref: own('Deployment', one),
        labels: one.template.labels,
        replicas: one.replicas,
      })),
      ...known(statefulSets).map(one => ({
        namespace: one.namespace,
        ref: own('StatefulSet', one),
        labels: one.template.labels,
        replicas: one.replicas,
      })),
      ...known(daemonSets).map(one => ({
        namespace: one.namespace,
        ref: own('DaemonSet', one),
        labels: one.template.labels,
        replicas: one.desired,
      })),
    ];
    const stack = known(components).filter(one => !NOT_OF_THE_STACK.has(one.component));
    const gaps = {
      slices: gapsIn(slices)[0],
      pods: gapsIn(pods)[0] ?? gapsIn(components)[0],
      workloads: gapsIn([...deployments, ...statefulSets, ...daemonSets])[0],
    };
    const podsOf = selectable(known(pods).filter(pod => !pod.history));
    const templatesOf = selectable(workloads);
    const slicesOf = groupedBy(known(slices), slice => `${slice.namespace}/${slice.service}`);
    const askedOf = groupedBy(endpoints, one => `${one.service.namespace}/${one.service.name}`);
    const hooksOf = groupedBy(known(webhooks), one => `${one.service.namespace}/${one.service.name}`);
    const ingressesIn = groupedBy(known(ingresses), one => one.namespace);
    const workloadsIn = groupedBy(workloads, one => one.namespace);
    const selecting = services.filter(service => orGap(() => hasSelector(service)) !== false);
    return mapKnown(selecting, rowOf);

    function rowOf(service: Service): Row {
      const key = `${service.namespace}/${service.name}`;
      const matched = podsOf(service.namespace, service.selector);
      const templates = templatesOf(service.namespace, service.selector);
      const own = distinct([...matched.map(pod => pod.workload), ...templates.map(one => one.ref)]);
      const keys = new Set(own.map(one => one.key));
      const parts = stack.filter(one => keys.has(one.workload.key));
      const hosts = (ingressesIn.get(service.namespace) ?? []).filter(
        one => orGap(() => one.backends.some(backend => backend.service === service.name)) === true,
      );
      const hooks = hooksOf.get(key) ?? [];
      const asked = askedOf.get(key) ?? [];
      const ready = readyAddresses(service, slicesOf.get(key) ?? []);
      const unready = matched.filter(pod => !pod.ready);
      const scaled = matched.length === 0 && templates.length > 0 && templates.every(one => one.replicas === 0);
      const ports = service.ports.map(({ name, port, targetPort }) => ({
        name,
        port,
        targetPort,
        resolved: /^\d*$/.test(targetPort) || matched.some(pod => namesPort(pod, targetPort)),
      }));
      const nearest = own.length === 0 ? nearestTo(service) : undefined;
      const row: Row = {
        service: ref('Service', service.namespace, service.name, service.uid),
        age: service.age,
        neededBy: [
          ...new Set([
            ...(isClusterDns(service)
              ? []
              : parts.map(one => `${one.component} (${one.workload.kind} ${one.workload.name})`)),
            ...hosts.map(one => `Ingress ${one.name}`),
            ...hooks.map(one => `webhook ${one.webhook}`),
            ...asked.map(one => `${one.flag} of ${one.query.kind} ${one.query.name}`),
          ]),
        ],
        ledTo: service.externalIps.length > 0 || hosts.length > 0 || hooks.length > 0,
        named: asked.length > 0,
        ready,
        why: whyNone(),
        unservedFor: ready > 0 ? -1 : waiting(service, matched),
        since:
          ready > 0
            ? ''
            : (unready
                .map(pod => pod.readySince || pod.created)
                .sort()
                .at(-1) ?? ''),
        selector: service.selector,
        selectorText: Object.entries(service.selector)
          .map(pair => pair.join('='))
          .join(','),
        pods: matched.map(pod => ref('Pod', pod.namespace, pod.name, pod.uid)),
        unready: unready.map(pod => `${pod.name}: ${pod.unready.join(', ') || pod.reason || 'not ready'}`),
        workloads: own,
        subjects: distinct(parts.map(one => one.subject)),
        nodes: [...new Set(unready.map(pod => pod.node).filter(node => node !== ''))],
        ports,
        containerPorts: [
          ...new Set(
            matched.flatMap(pod =>
              pod.containers.flatMap(one => one.ports.map(port => `${port.name || 'unnamed'} ${port.port}`)),
            ),
          ),
        ],
        hasSidecar: parts.some(one => one.component === 'sidecar'),
        nearest: nearest?.ref ?? NOBODY,
        nearestLacks: nearest ? lacking(service, nearest.labels) : [],
      };
      return withUnknown(row);

      function whyNone(): string {
        if (ready > 0) return '';
        if (scaled) return 'scaled-to-zero';
        if (matched.length === 0) return 'none-selected';
        if (ports.length > 0 && ports.every(port => !port.resolved)) return 'port-not-in-pod';
        return 'none-ready';
      }
    }

    function nearestTo(service: Service): Workload | undefined {
      return (workloadsIn.get(service.namespace) ?? [])
        .map(one => ({ one, lacks: lacking(service, one.labels).length }))
        .filter(({ lacks }) => lacks < Object.keys(service.selector).length)
        .sort((first, second) => first.lacks - second.lacks)[0]?.one;
    }

    /** Without the slices nothing is known of readiness; without pods or workloads, not why, nor whose it is. */
    function withUnknown(row: Row): Row {
      const unknown = new Map<string, Gap>();
      const note = (gap: Gap | undefined, ...fields: readonly (keyof Row & string)[]) => {
        if (gap) for (const field of fields) unknown.set(field, gap);
      };
      note(gaps.workloads, 'why', 'workloads', 'subjects', 'nearest', 'nearestLacks');
      note(gaps.pods, 'pods', 'unready', 'workloads', 'subjects', 'nodes', 'ports', 'containerPorts', 'hasSidecar');
      note(gaps.slices, 'ready', 'unservedFor', 'since');
      if (gaps.pods) note(gaps.pods, ...(row.ready > 0 ? [] : (['unservedFor', 'since', 'why'] as const)));
      if (gaps.slices) note(gaps.slices, 'why');
      if (row.neededBy.length === 0) note(gaps.pods ?? gaps.workloads, 'neededBy');
      if (unknown.size === 0) return row;
      const copy: Record<string, unknown> = {};
      for (const [field, value] of Object.entries(row)) {
        const gap = unknown.get(field);
        if (!gap) copy[field] = value;
        else {
          Object.defineProperty(copy, field, {
            enumerable: true,
            get() {
              throw new GapSignal(gap);
            },
          });
        }
      }
      return copy as Row;
    }
  },
});

function own(kind: string, one: { readonly namespace: string; readonly name: string; readonly uid: string }): Ref {
  return ref(kind, one.namespace, one.name, one.uid);
}

function hasSelector(service: Service): boolean {
  return service.type !== 'ExternalName' && Object.keys(service.selector).length > 0;
}

function distinct(refs: readonly Ref[]): readonly Ref[] {
  return [...new Map(refs.filter(one => one.name !== '').map(one => [one.key, one])).values()];
}

/** A slice without ports reaches nothing, unless the Service has none either. */
function readyAddresses(service: Service, own: readonly Slice[]): number {
  const usable = own.filter(slice => slice.ports.length > 0 || service.ports.length === 0);
  return new Set(usable.flatMap(slice => slice.endpoints.filter(one => one.ready).flatMap(one => one.addresses))).size;
}

/**
 * Since the last of its pods became unready, or had to be gone; where there is no pod, since the Service was made. A pod
 * that ends takes its grace period for it.
 */
function waiting(service: Service, pods: readonly Pod[]): number {
  const ages = pods.map(pod => (pod.deleting ? pod.deletingAge : pod.readyAge >= 0 ? pod.readyAge : pod.age));
  return ages.length > 0 ? Math.min(...ages) : service.age;
}

function namesPort(pod: Pod, name: string): boolean {
  return pod.containers.some(container => container.ports.some(port => port.name === name));
}

function lacking(service: Service, labels: Readonly<Record<string, string>>): readonly string[] {
  return Object.entries(service.selector)
    .filter(([key, value]) => labels[key] !== value)
    .map(([key, value]) => `${key}=${value} (it has ${labels[key] ?? 'no such label'})`);
}
