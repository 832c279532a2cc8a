import { type Gap, GapSignal } from '../../model/gap.ts';
import type { Ref, ShapeOf } from '../../model/shape.ts';
import type { Context } from '../collector.ts';
import { collector as slicesCollector } from '../collectors/kubernetes.endpoint-slices.ts';
import { collector as podsCollector } from '../collectors/kubernetes.pods.ts';
import { collector as servicesCollector } from '../collectors/kubernetes.services.ts';
import { type Component, collector as componentsCollector } from '../derived/thanos.components.ts';
import { gapsIn, known } from '../gaps.ts';
import { ref } from '../objects.ts';

type Service = ShapeOf<typeof servicesCollector.shape>[number];
type Slice = ShapeOf<typeof slicesCollector.shape>[number];
type Pod = ShapeOf<typeof podsCollector.shape>[number];

/** One pod address behind a Service's port. */
export interface Backend {
  readonly pod: Ref;
  readonly ip: string;
  /** The port of the pod. */
  readonly port: number;
  readonly ready: boolean;
  /** Seconds since the pod got ready; -1 while it is not. */
  readonly readyAge: number;
  /** Seconds that the pod has been as it is, ready or not; -1 where that is not known. */
  readonly stateAge: number;
}

/** What the cluster's Services lead to; computed once for a piece of evidence. */
export interface Behind {
  readonly services: readonly Service[];
  readonly components: readonly Component[];
  readonly pods: readonly Pod[];
  /** Gaps because of which "there is no such Service" is not known. */
  readonly gaps: readonly Gap[];
  service(namespace: string, name: string): Service | undefined;
  backends(service: Service, portName: string): readonly Backend[];
  /** Components that the Service selects: in pods, ready or not, and in workloads that have none. */
  meant(service: Service): readonly Component[];
  componentAt(pod: Ref, port: number): Component | undefined;
}

export async function behindServices(context: Context): Promise<Behind> {
  const [services, slices, pods, components] = await Promise.all([
    context.get(servicesCollector),
    context.get(slicesCollector),
    context.get(podsCollector),
    context.get(componentsCollector),
  ]);
  const podByKey = new Map(known(pods).map(pod => [pod.key, pod]));
  const bySlice = new Map<string, Slice[]>();
  for (const slice of known(slices)) {
    const key = `${slice.namespace}/${slice.service}`;
    bySlice.set(key, [...(bySlice.get(key) ?? []), slice]);
  }
  const all = known(components);
  const sliceGaps = gapsIn(slices);

  return {
    services: known(services),
    components: all,
    pods: known(pods),
    gaps: gapsIn(services),
    service: (namespace, name) => {
      const found = known(services).find(service => service.namespace === namespace && service.name === name);
      const gap = gapsIn(services)[0];
      if (!found && gap) throw new GapSignal(gap);
      return found;
    },
    backends: (service, portName) => {
      const found = bySlice.get(`${service.namespace}/${service.name}`) ?? [];
      if (found.length === 0 && sliceGaps[0]) throw new GapSignal(sliceGaps[0]);
      return found.flatMap(slice => {
        const port = slice.ports.find(candidate => candidate.name === portName);
        if (!port) return [];
        return slice.endpoints.map(endpoint => {
          const pod = podByKey.get(endpoint.target.key);
          return {
            pod: endpoint.target,
            ip: endpoint.addresses[0] ?? '',
            port: port.port,
            ready: endpoint.ready,
            readyAge: pod?.ready ? pod.readyAge : endpoint.ready ? 0 : -1,
            stateAge: pod?.readyAge ?? -1,
          };
        });
      });
    },
    meant: service => {
      const wanted = Object.entries(service.selector);
      if (wanted.length === 0) return [];
      const selected = (labels: Readonly<Record<string, string>>) =>
        wanted.every(([name, value]) => labels[name] === value);
      return all.filter(component => {
        if (component.namespace !== service.namespace) return false;
        const pod = podByKey.get(component.pod.key);
        return selected(pod ? pod.labels : component.templateLabels);
      });
    },
    componentAt: (pod, port) =>
      all.find(
        component =>
          component.pod.key === pod.key &&
          (component.grpcPort === port ||
            component.httpPort === port ||
            component.ports.some(one => one.port === port)),
      ),
  };
}

export function serviceRef(service: Service, cluster = ''): Ref {
  return ref('Service', service.namespace, service.name, service.uid, cluster);
}
