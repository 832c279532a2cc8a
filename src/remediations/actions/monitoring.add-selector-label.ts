import type { Action } from '../../model/remediation.ts';
import type { RawObject } from '../../model/source.ts';
import { rowsOf } from '../evidence-rows.ts';
import { guard } from '../guards.ts';
import { MONITOR_ACCESS, selectionRow, taken } from '../monitors.ts';
import { changeStep, existing } from '../steps.ts';
import { nameOf, targetOfKey } from '../targets.ts';
import { undoStepsOf } from '../undo.ts';

const RESOURCES = ['podmonitors', 'probes', 'scrapeconfigs', 'prometheusrules'];

export const action: Action = {
  id: 'monitoring.add-selector-label',
  title: 'add the label that is selected by',
  risk: 'change',
  parameters: { object: 'needed', label: 'needed', value: 'needed' },
  access: [
    ...MONITOR_ACCESS,
    ...RESOURCES.map(resource => ({ verbs: ['get', 'patch'], group: 'monitoring.coreos.com', resource })),
  ],
  async plan(input) {
    const target = targetOfKey(input.parameters.object);
    const object = await existing(input.api, target);
    const { label = '', value = '' } = input.parameters;
    const steps = [
      changeStep(target, object, `label ${nameOf(target)} with ${label}=${value}`, [
        [['metadata', 'labels', label], value],
      ]),
    ];
    return {
      steps,
      guards: [
        await guard('one-label-is-missing', 'one label is all that it lacks', async () => {
          const row = await selectionRow(input, target);
          if (!row) return 'whether it is selected is not known';
          if (row.selected) return 'it is selected';
          return (
            (row.missing === 'label' && Object.keys(row.wantedLabels).length === 1 && label !== '' && value !== '') ||
            `it lacks more than that: ${row.missingWhy}`
          );
        }),
        await guard('label-not-used-otherwise', 'the label has no other value', () => {
          const old = object.metadata.labels?.[label];
          return old === undefined || `it has ${label}=${old}`;
        }),
        await guard('not-a-duplicate', 'what it names is not scraped already', async () => {
          if (target.kind === 'PrometheusRule') return true;
          const row = await selectionRow(input, target);
          const pods = new Set((row?.matchedPods ?? []).map((one: RawObject) => one.key));
          const ports = new Set((object.spec?.endpoints ?? []).map((endpoint: RawObject) => endpoint.port));
          const targets: readonly RawObject[] = (await rowsOf(input.evidence, 'prometheus.targets')).flatMap(
            one => one.targets,
          );
          const twin = targets.find(
            one => pods.has(one.pod.key) && ports.has(one.labels.endpoint) && one.monitor.key !== nameOf(target),
          );
          return twin
            ? `${twin.pod.key}, port ${twin.labels.endpoint}, is scraped by ${twin.monitor.key} already`
            : true;
        }),
        await guard('only-that-prometheus', 'no second Prometheus begins to take it', async () => {
          const resources = await input.api.list(
            'monitoring.coreos.com',
            target.resource === 'prometheusrules' ? 'thanosrulers' : 'prometheuses',
            '',
          );
          const field = selectorField(target.kind);
          const labels = { ...object.metadata.labels, [label]: value };
          const takers = resources.filter(({ spec }) => {
            const selector = spec?.[field];
            const wanted = Object.entries(selector?.matchLabels ?? {});
            return (
              selector &&
              !selector.matchExpressions?.length &&
              wanted.length > 0 &&
              wanted.every(([key, text]) => labels[key] === text)
            );
          });
          return takers.length <= 1 || `${takers.map(({ metadata }) => metadata.name).join(' and ')} would take it`;
        }),
      ],
      riskText: 'what it names is taken from now on, with the memory that its series cost',
      verify: taken(input.finding.rule, target),
      undo: { what: 'takes the label away', steps: undoStepsOf(steps) },
    };
  },
};

function selectorField(kind: string): string {
  if (kind === 'PrometheusRule') return 'ruleSelector';
  return `${kind.charAt(0).toLowerCase()}${kind.slice(1)}Selector`;
}
