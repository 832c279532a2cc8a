import type { Action } from '../../model/remediation.ts';
import { guard, passed } from '../guards.ts';
import { Refusal } from '../refusal.ts';
import { changeStep, existing } from '../steps.ts';
import { nameOf, targetOf, targetOfKey } from '../targets.ts';
import { undoStepsOf } from '../undo.ts';

/** Where Longhorn's installers keep the settings that an upgrade writes. */
const GOVERNED_IN = 'longhorn-default-setting';

export const action: Action = {
  id: 'longhorn.set-default-replica-count',
  title: 'ask for no more replicas of new volumes than there are nodes',
  risk: 'change',
  parameters: { setting: 'needed' },
  access: [
    { verbs: ['get', 'patch'], group: 'longhorn.io', resource: 'settings' },
    { verbs: ['list'], group: 'longhorn.io', resource: 'nodes' },
    { verbs: ['get'], group: '', resource: 'configmaps' },
  ],
  async plan(input) {
    const target = targetOfKey(input.parameters.setting);
    const setting = await existing(input.api, target);
    const nodes = await input.api.list('longhorn.io', 'nodes', target.namespace);
    const count = Math.max(1, nodes.length);
    const value = String(setting.value ?? '');
    const lowered = loweredTo(value, count);
    if (lowered === undefined) throw new Refusal('setting-readable', `"${value}" is no number of replicas`);
    if (lowered === value)
      throw new Refusal('fewer-nodes-than-default', `there are ${nodes.length} nodes, and the default is ${value}`);
    const steps = [changeStep(target, setting, `set ${nameOf(target)} to ${lowered}`, [[['value'], lowered]])];
    return {
      steps,
      guards: [
        passed('fewer-nodes-than-default', 'there are fewer nodes'),
        await guard('not-chart-governed', 'no installer writes it', async () => {
          const governing = await input.api.get(targetOf('ConfigMap', target.namespace, GOVERNED_IN));
          const text = Object.values(governing?.data ?? {}).join('\n');
          return (
            !/^\s*default-replica-count\s*:/m.test(text) ||
            `ConfigMap ${target.namespace}/${GOVERNED_IN} says it too: change it where Longhorn is installed from`
          );
        }),
      ],
      riskText: 'volumes that are there keep their number; a class that states one of its own is not touched',
      verify: { what: `${input.finding.rule} is healthy`, seconds: 60 },
      undo: { what: 'writes the old value back', steps: undoStepsOf(steps) },
      notes: ['a StorageClass that states numberOfReplicas goes by that: its parameters cannot be changed'],
    };
  },
};

/** A number, or one for each engine: `{"v1":"3","v2":"3"}`. Undefined where it is neither. */
function loweredTo(value: string, count: number): string | undefined {
  if (/^\d+$/.test(value)) return Number(value) > count ? String(count) : value;
  let byEngine: unknown;
  try {
    byEngine = JSON.parse(value);
  } catch {
    return undefined;
  }
  if (typeof byEngine !== 'object' || byEngine === null) return undefined;
  const entries = Object.entries(byEngine).map(([engine, text]) => [engine, loweredTo(String(text), count)] as const);
  if (entries.some(([, text]) => text === undefined)) return undefined;
  return entries.every(([engine, text]) => String((byEngine as Record<string, unknown>)[engine]) === text)
    ? value
    : JSON.stringify(Object.fromEntries(entries));
}
