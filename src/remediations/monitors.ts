import type { Draft, Guard, PlanInput, Target } from '../model/remediation.ts';
import type { RawObject } from '../model/source.ts';
import { rowsOf } from './evidence-rows.ts';
import { guard } from './guards.ts';
import { nameOf } from './targets.ts';
import { isReady } from './workloads.ts';

/** What the operator makes of a monitor or rule: whether it is selected, and what is missing. */
export async function selectionRow({ evidence }: PlanInput, target: Target): Promise<RawObject | undefined> {
  const rows = await rowsOf(evidence, 'prometheus-operator.selection');
  return rows.find(row => row.object.key === nameOf(target));
}

/** Operator resync, propagation of the Secret, reload, and two scrapes. `endpoint` -1 is all of them. */
export function scraped(rule: string, monitor: Target, endpoint: number): Draft['verify'] {
  return {
    what: `${rule} is healthy, and the targets of ${nameOf(monitor)} are up`,
    seconds: 300,
    signals: [{ is: 'targets-up', monitor: nameOf(monitor), endpoint }],
  };
}

/** The same for a monitor that is taken only now; a PrometheusRule has no targets. */
export function taken(rule: string, object: Target): Draft['verify'] {
  if (object.kind !== 'PrometheusRule') return scraped(rule, object, -1);
  return { what: `${rule} is healthy`, seconds: 300 };
}

/** The first ready pod behind each Service answers with metrics at the port that is meant. */
export function metricsAnswer(
  { api }: PlanInput,
  endpoint: RawObject,
  services: readonly { readonly service: RawObject; readonly port: RawObject }[],
): Promise<Guard> {
  return guard('metrics-answer', 'there are metrics at that port', async () => {
    for (const { service, port } of services) {
      const { namespace, name } = service.metadata;
      const selector = Object.entries(service.spec?.selector ?? {}).map(([key, value]) => `${key}=${value}`);
      if (selector.length === 0) return `Service ${namespace}/${name} has no selector: its pods are not known`;
      const pod = (await api.list('', 'pods', namespace, selector.join(','))).find(isReady);
      if (!pod) return `no pod of Service ${namespace}/${name} is ready, so nobody can be asked`;
      const number = portOfPod(pod, port);
      if (number === undefined) return `pod ${pod.metadata.name} has no port ${port.targetPort}`;
      const place = { namespace, pod: pod.metadata.name, port: number, scheme: schemeOf(endpoint) };
      const path = endpoint.path ?? '/metrics';
      const { status, text } = await api.podAnswer(place, path);
      if (status !== 200) return `${path} of pod ${place.pod}, port ${number}, answers ${status}`;
      if (!isExposition(text)) return `what pod ${place.pod} answers at port ${number} is no metrics`;
    }
    return true;
  });
}

function schemeOf(endpoint: RawObject): '' | 'https' {
  return endpoint.scheme === 'https' ? 'https' : '';
}

function portOfPod(pod: RawObject, { port, targetPort = port }: RawObject): number | undefined {
  if (typeof targetPort === 'number') return targetPort;
  const ports: readonly RawObject[] = (pod.spec?.containers ?? []).flatMap(
    (container: RawObject) => container.ports ?? [],
  );
  return ports.find(({ name }) => name === targetPort)?.containerPort;
}

function isExposition(text: string): boolean {
  return /^(?:# (?:HELP|TYPE) [a-zA-Z_:]|[a-zA-Z_:][\w:]*(?:\{[^\n]*\})? \S+)/m.test(text);
}

export const MONITOR_ACCESS = [
  {
    verbs: ['get', 'patch'],
    group: 'monitoring.coreos.com',
    resource: 'servicemonitors',
  },
] as const;

/** Asking pods for their metrics. */
export const METRICS_ACCESS = [
  { verbs: ['get'], group: '', resource: 'services' },
  { verbs: ['list'], group: '', resource: 'pods' },
  { verbs: ['get'], group: '', resource: 'pods/proxy' },
] as const;
