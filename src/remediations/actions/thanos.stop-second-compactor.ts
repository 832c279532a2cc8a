import type { Action } from '../../model/remediation.ts';
import type { RawObject } from '../../model/source.ts';
import { rowsOf } from '../evidence-rows.ts';
import { guard } from '../guards.ts';
import { Refusal } from '../refusal.ts';
import { changeStep, existing } from '../steps.ts';
import { nameOf, targetOfKey } from '../targets.ts';
import { undoStepsOf } from '../undo.ts';

export const action: Action = {
  id: 'thanos.stop-second-compactor',
  title: 'stop the younger Compactor',
  risk: 'change',
  parameters: { workload: 'needed', other: 'needed' },
  access: [
    { verbs: ['get', 'patch'], group: 'apps', resource: 'deployments/scale' },
    { verbs: ['get', 'patch'], group: 'apps', resource: 'statefulsets/scale' },
    { verbs: ['get'], group: 'apps', resource: 'deployments' },
    { verbs: ['get'], group: 'apps', resource: 'statefulsets' },
  ],
  async plan(input) {
    const whole = targetOfKey(input.parameters.workload);
    if (whole.kind !== 'Deployment' && whole.kind !== 'StatefulSet')
      throw new Refusal('can-be-scaled', `${nameOf(whole)} cannot be scaled`);
    const target = { ...whole, subresource: 'scale' as const };
    const object = await existing(input.api, whole);
    const scale = await existing(input.api, target);
    const { cluster } = input.finding;
    const inFleet = (key: string) => (key.includes(' @') ? key : `${key} @${cluster}`);
    const [mine, theirs] = [nameOf(whole), input.parameters.other ?? ''].map(inFleet) as [string, string];
    const place = async (): Promise<RawObject | undefined> =>
      (await rowsOf(input.fleet, 'fleet.buckets')).find(row => {
        const keys = row.compactors.map((user: RawObject) => user.workload.key);
        return mine !== theirs && keys.includes(mine) && keys.includes(theirs);
      });
    const bucket = await place();
    const one = bucket?.compactors.find((user: RawObject) => user.workload.key === mine);
    const other = bucket?.compactors.find((user: RawObject) => user.workload.key === theirs);
    const change = changeStep(target, scale, `scale ${nameOf(whole)} to 0`, [[['spec', 'replicas'], 0]]);
    const name = theirs.replace(/ @.*/, '');
    return {
      steps: [
        change,
        {
          do: 'wait',
          title: `no pod of ${nameOf(whole)} is left`,
          target: whole,
          until: { is: 'rolled-out' },
          seconds: 300,
        },
      ],
      guards: [
        await guard(
          'same-place',
          'both work on the same bucket and prefix',
          () => bucket !== undefined || `${mine} and ${theirs} are not known to work on one bucket`,
        ),
        await guard('younger-told-by-created', 'it is the younger one', () => {
          const created = object.metadata.creationTimestamp ?? '';
          if (!other?.created || created === '') return 'which one is younger cannot be told';
          return Date.parse(created) > Date.parse(other.created) || `${name} is younger, or of the same age`;
        }),
        await guard('other-one-ready', 'the other one works', () => {
          if (!other) return `whether ${name} runs is not known`;
          return (other.running > 0 && other.ready > 0) || `${name} has no pod that is ready`;
        }),
        await guard('not-sharded', 'neither takes a part of the blocks only', () => {
          if (!one || !other) return 'how they share the blocks is not known';
          return (one.selector === '' && other.selector === '') || 'they select blocks with --selector.relabel-config';
        }),
      ],
      riskText: `the one that stays, ${name}, has to do the work of both`,
      // Of another cluster nothing is read when it is verified.
      verify: theirs.endsWith(` @${cluster}`)
        ? {
            what: `${input.finding.rule} is healthy, and ${name} goes on`,
            seconds: 1800,
            signals: [{ is: 'compactor-goes-on', workload: name, iterations: 2 }],
          }
        : { what: `${input.finding.rule} is healthy`, seconds: 300 },
      undo: { what: 'scales it back', steps: undoStepsOf([change]) },
      notes: ['blocks that were compacted twice stay, and may overlap: thanos-doctor diagnose tells'],
      mends: true,
    };
  },
};
