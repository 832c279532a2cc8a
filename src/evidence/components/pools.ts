import type { Ref } from '../../model/shape.ts';
import { ref } from '../objects.ts';

const MONITORS: Readonly<Record<string, string>> = {
  serviceMonitor: 'ServiceMonitor',
  podMonitor: 'PodMonitor',
  probe: 'Probe',
  scrapeConfig: 'ScrapeConfig',
};

/**
 * The monitor that a scrape pool was made of, by the operator's naming (`serviceMonitor/namespace/name/index`); a pool
 * of any other name is a ScrapePool of its Prometheus' namespace.
 */
export function monitorOfPool(pool: string, prometheus: Ref): Ref {
  const [prefix = '', namespace = '', name = '', ...rest] = pool.split('/');
  const kind = MONITORS[prefix];
  if (kind === undefined || namespace === '' || name === '' || rest.length > 1) {
    return ref('ScrapePool', prometheus.namespace, pool);
  }
  return ref(kind, namespace, name);
}

/** Which of a monitor's endpoints a pool is; -1 where it is not numbered. */
export function endpointIndex(pool: string): number {
  const index = /^(?:serviceMonitor|podMonitor)\/[^/]+\/[^/]+\/(\d+)$/.exec(pool)?.[1];
  return index === undefined ? -1 : Number(index);
}

const CONTROL_PLANE = /-kube-(?:controller-manager|scheduler|etcd|proxy)$/;

/** Monitors of control plane parts that kubeadm binds to 127.0.0.1, or that another component replaces. */
export function isControlPlane(name: string, labels: Readonly<Record<string, string>> = {}): boolean {
  return CONTROL_PLANE.test(name) || CONTROL_PLANE.test(labels.app ?? '');
}
