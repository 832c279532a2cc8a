import type { Action } from '../../model/remediation.ts';
import type { RawObject } from '../../model/source.ts';
import { rowsOf } from '../evidence-rows.ts';
import { guard } from '../guards.ts';
import { Refusal } from '../refusal.ts';
import { changeStep, existing, type Wanted } from '../steps.ts';
import { targetOfKey } from '../targets.ts';
import { undoStepsOf } from '../undo.ts';
import { conditionIs } from '../workloads.ts';

/** Percent of a disk that have to be free for a new replica. */
const LEAST_FREE = 'storage-minimal-available-percentage';

export const action: Action = {
  id: 'longhorn.allow-scheduling',
  title: 'let Longhorn put replicas there',
  risk: 'change',
  parameters: { node: 'needed' },
  access: [{ verbs: ['get', 'patch'], group: 'longhorn.io', resource: 'nodes' }],
  async plan(input) {
    const target = targetOfKey(input.parameters.node);
    const node = await existing(input.api, target);
    const disks: Readonly<Record<string, RawObject>> = node.spec?.disks ?? {};
    const nodeIsClosed = node.spec?.allowScheduling === false;
    const closed = Object.keys(disks).filter(name => disks[name]!.allowScheduling === false);
    if (!nodeIsClosed && closed.length !== 1)
      throw new Refusal(
        'one-disk',
        `${closed.length} disks of ${target.name} are closed: which one is meant, you decide`,
      );
    const wanted: Wanted = nodeIsClosed
      ? [['spec', 'allowScheduling'], true]
      : [['spec', 'disks', closed[0]!, 'allowScheduling'], true];
    // Of a closed node, the disks that would take replicas then.
    const names = nodeIsClosed ? Object.keys(disks).filter(name => disks[name]!.allowScheduling !== false) : closed;
    const statusOf = (name: string): RawObject => node.status?.diskStatus?.[name] ?? {};
    const what = nodeIsClosed ? `node ${target.name}` : `disk ${closed[0]} of node ${target.name}`;
    const steps = [changeStep(target, node, `allow replicas on ${what}`, [wanted])];
    return {
      steps,
      guards: [
        await guard('disk-has-room', 'there is room', async () => {
          const settings = await rowsOf(input.evidence, 'longhorn.settings');
          const least = Number(settings.find(row => row.name === LEAST_FREE)?.value ?? Number.NaN);
          if (!Number.isFinite(least)) return `how much Longhorn keeps free (${LEAST_FREE}) is not known`;
          const roomy = names.some(name => {
            const { storageAvailable = 0, storageMaximum = 0, storageScheduled = 0 } = statusOf(name);
            const usable = storageMaximum - (disks[name]!.storageReserved ?? 0);
            return storageMaximum > 0 && storageAvailable > (storageMaximum * least) / 100 && storageScheduled < usable;
          });
          return roomy || `no disk of it has more than ${least} % free, with less promised than it holds`;
        }),
        await guard('disk-ready', 'it is ready', () => {
          if (!conditionIs(node, 'Ready', 'True')) return `node ${target.name} is not ready`;
          const broken = names.find(name => !conditionIs({ status: statusOf(name) }, 'Ready', 'True'));
          return broken === undefined || `disk ${broken} is not ready`;
        }),
        await guard('no-eviction-requested', 'nobody is emptying it', () => {
          const emptied = node.spec?.evictionRequested === true || names.some(name => disks[name]!.evictionRequested);
          return !emptied || `replicas are being moved away from ${what}`;
        }),
      ],
      riskText: 'new replicas are put there; whoever closed it may have had a reason',
      verify: {
        what: `${input.finding.rule} is healthy, and no volume waits for room`,
        seconds: 120,
        rules: ['volume-replica-lacks-storage'],
      },
      undo: { what: 'closes it again; replicas that were put there stay', steps: undoStepsOf(steps) },
    };
  },
};
