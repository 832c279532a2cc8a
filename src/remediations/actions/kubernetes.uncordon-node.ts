import type { Action } from '../../model/remediation.ts';
import type { RawObject } from '../../model/source.ts';
import { guard } from '../guards.ts';
import { changeStep, existing } from '../steps.ts';
import { nameOf, targetOfKey } from '../targets.ts';
import { undoStepsOf } from '../undo.ts';

const MAINTENANCE =
  /cluster\.x-k8s\.io|kured|system-upgrade|upgrade\.cattle\.io|maintenance|rebooting|ToBeDeletedByClusterAutoscaler/i;

export const action: Action = {
  id: 'kubernetes.uncordon-node',
  title: 'uncordon',
  risk: 'change',
  parameters: { node: 'needed' },
  access: [{ verbs: ['get', 'patch'], group: '', resource: 'nodes' }],
  async plan(input) {
    const target = targetOfKey(`Node ${(input.parameters.node ?? '').replace(/^Node /, '')}`);
    const node = await existing(input.api, target);
    const now = Date.parse(input.api.now());
    const cordoned = cordonedAt(node);
    const recent = cordoned !== undefined && now - cordoned < 24 * 3_600_000;
    // The API server leaves the field out where it is false.
    const steps = [changeStep(target, node, `uncordon ${nameOf(target)}`, [[['spec', 'unschedulable'], undefined]])];
    return {
      steps,
      guards: [
        await guard('ready-for-10-min', 'it has been ready for ten minutes', () => {
          const ready = conditionOf(node, 'Ready');
          if (ready?.status !== 'True') return 'the node is not ready';
          return now - Date.parse(ready.lastTransitionTime) >= 600_000 || 'it is ready for less than ten minutes';
        }),
        await guard('cordoned-by-hand-and-long-ago', 'it was cordoned more than an hour ago', () => {
          if (cordoned === undefined) return 'since when it is cordoned cannot be told';
          return now - cordoned >= 3_600_000 || 'it was cordoned less than an hour ago';
        }),
        await guard('no-pressure', 'it is not short of memory, disk or processes', () => {
          const pressed = ['MemoryPressure', 'DiskPressure', 'PIDPressure'].find(
            type => conditionOf(node, type)?.status === 'True',
          );
          return pressed ? `it has ${pressed}` : true;
        }),
        await guard('no-maintenance-marker', 'nothing says that maintenance is under way', () => {
          const taints = (node.spec?.taints ?? []).filter(
            (taint: RawObject) => taint.key !== 'node.kubernetes.io/unschedulable',
          );
          const names = [
            ...Object.keys(node.metadata.annotations ?? {}),
            ...taints.map((taint: RawObject) => taint.key),
          ];
          const marker = names.find(
            name =>
              MAINTENANCE.test(name) &&
              !/^cluster\.x-k8s\.io\/(?:cluster-name|machine|owner-|annotations-|labels-)/.test(name),
          );
          return marker ? `it carries ${marker}` : true;
        }),
      ],
      riskText: 'pods are placed on it again',
      verify: { what: `${input.finding.rule} is healthy`, seconds: 120 },
      undo: { what: 'cordons it again', steps: undoStepsOf(steps) },
      // Whoever cordoned it today may be in the middle of something.
      ...(recent ? { typed: target.name } : {}),
    };
  },
};

function conditionOf(node: RawObject, type: string): RawObject | undefined {
  return (node.status?.conditions ?? []).find((condition: RawObject) => condition.type === type);
}

/** When the node was cordoned, in milliseconds: its taint tells, else who wrote the field last. */
function cordonedAt(node: RawObject): number | undefined {
  const taint = (node.spec?.taints ?? []).find((entry: RawObject) => entry.key === 'node.kubernetes.io/unschedulable');
  const writer = (node.metadata.managedFields ?? []).findLast(
    (field: RawObject) => field.fieldsV1?.['f:spec']?.['f:unschedulable'] !== undefined,
  );
  const time = Date.parse(taint?.timeAdded ?? writer?.time ?? '');
  return Number.isNaN(time) ? undefined : time;
}
