import type { ShapeOf } from '../../model/shape.ts';
import { derived } from '../collector.ts';
import { collector as podsCollector } from '../collectors/kubernetes.pods.ts';
import { collector as webhooksCollector } from '../collectors/kubernetes.webhooks.ts';
import { collector as agentsCollector } from '../collectors/prometheus-operator.agents.ts';
import { collector as alertmanagersCollector } from '../collectors/prometheus-operator.alertmanagers.ts';
import { collector as monitorsCollector } from '../collectors/prometheus-operator.monitors.ts';
import { collector as prometheusesCollector } from '../collectors/prometheus-operator.prometheuses.ts';
import { collector as rulesCollector } from '../collectors/prometheus-operator.rules.ts';
import { collector as rulersCollector } from '../collectors/prometheus-operator.thanos-rulers.ts';
import { identify } from '../components/identify.ts';
import { gapElement, gapsIn, known, listOrGap } from '../gaps.ts';
import { collector as workloadsCollector } from './kubernetes.workloads.ts';

const ROW = { namespace: 'str', why: 'str' } as const;

type Row = ShapeOf<typeof ROW>;

/** What the stack stands on, wherever its own parts run. */
const FOUNDATIONS = ['kube-system', 'longhorn-system'];

export const collector = derived({
  id: 'kubernetes.scope',
  about:
    'The namespaces whose workloads are judged: those with a component of the monitoring stack or of what it stands on, and those with resources of the Prometheus Operator.',
  core: true,
  shape: [ROW],
  async collect(context) {
    const pods = await listOrGap(context.get(podsCollector));
    const resources: readonly { readonly kind: string; readonly rows: readonly { readonly namespace: string }[] }[] = [
      { kind: 'Prometheus', rows: await listOrGap(context.get(prometheusesCollector)) },
      { kind: 'PrometheusAgent', rows: await listOrGap(context.get(agentsCollector)) },
      { kind: 'Alertmanager', rows: await listOrGap(context.get(alertmanagersCollector)) },
      { kind: 'ThanosRuler', rows: await listOrGap(context.get(rulersCollector)) },
      { kind: 'monitor', rows: await listOrGap(context.get(monitorsCollector)) },
      { kind: 'PrometheusRule', rows: await listOrGap(context.get(rulesCollector)) },
    ];
    const found = new Map<string, Row>();
    const add = (namespace: string, why: string) => {
      if (namespace && !found.has(namespace)) found.set(namespace, { namespace, why });
    };
    for (const namespace of FOUNDATIONS) add(namespace, 'the stack stands on it');
    for (const { kind, rows } of resources) for (const { namespace } of known(rows)) add(namespace, `it has a ${kind}`);
    for (const pod of known(pods)) {
      const component = pod.containers.map(container => identify(container)).find(name => name !== '');
      if (component) add(pod.namespace, `${component} runs in it`);
    }
    // One that is scaled to zero has no pods, and is of the stack all the same.
    for (const { workload, components } of known(await listOrGap(context.get(workloadsCollector)))) {
      if (components.length > 0) add(workload.namespace, `${components[0]} belongs in it`);
    }
    // A webhook that cannot be called holds up the stack's own pods, wherever its server runs.
    for (const { service, failurePolicy } of known(await listOrGap(context.get(webhooksCollector)))) {
      if (failurePolicy === 'Fail') add(service.namespace, 'it has an admission webhook');
    }
    const [gap] = [pods, ...resources.map(({ rows }) => rows)].flatMap(rows => gapsIn(rows));
    const rows = [...found.values()].sort((first, second) => (first.namespace < second.namespace ? -1 : 1));
    return gap ? [...rows, gapElement(gap)] : rows;
  },
});
