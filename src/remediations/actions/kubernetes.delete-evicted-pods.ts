import type { Action, Step } from '../../model/remediation.ts';
import type { RawObject } from '../../model/source.ts';
import { guard } from '../guards.ts';
import { podsOf } from '../pods.ts';
import { Refusal } from '../refusal.ts';
import { existing } from '../steps.ts';
import { nameOf, targetOf, targetOfKey } from '../targets.ts';
import { isReady } from '../workloads.ts';

const AT_ONCE = 10;

export const action: Action = {
  id: 'kubernetes.delete-evicted-pods',
  title: 'delete what evictions left',
  risk: 'change',
  parameters: { workload: 'needed' },
  access: [
    { verbs: ['get', 'list', 'delete'], group: '', resource: 'pods' },
    { verbs: ['get'], group: '', resource: 'nodes' },
  ],
  async plan(input) {
    const workload = targetOfKey(input.parameters.workload);
    const object = await existing(input.api, workload);
    const pods = await podsOf(input, workload, object);
    const evicted = pods
      .filter(({ status }) => status?.phase === 'Failed' && status.reason === 'Evicted')
      .slice(0, AT_ONCE);
    if (evicted.length === 0) throw new Refusal('something-to-change', `no pod of ${nameOf(workload)} is evicted`);
    const steps = evicted.map((pod): Step => {
      const target = targetOf('Pod', workload.namespace, pod.metadata.name);
      return { do: 'delete', title: `delete ${nameOf(target)}`, target, uid: pod.metadata.uid, orphan: false };
    });
    return {
      steps,
      guards: [
        await guard('replaced', 'another pod has taken over', () => pods.some(isReady) || 'no pod of it is ready'),
        await guard('node-has-no-pressure', 'the nodes have room again', async () => {
          for (const name of new Set(evicted.map(pod => pod.spec?.nodeName).filter(Boolean))) {
            const node = await input.api.get({ group: '', resource: 'nodes', kind: 'Node', namespace: '', name });
            const pressed = (node?.status?.conditions ?? []).find(
              (condition: RawObject) => /Pressure$/.test(condition.type) && condition.status === 'True',
            );
            if (pressed) return `node ${name} has ${pressed.type}`;
          }
          return true;
        }),
        await guard('status-saved', 'what they tell is kept', async () => {
          for (const pod of evicted)
            if (!(await input.saveLogs(pod.metadata.namespace, pod.metadata.name)))
              return `what ${pod.metadata.name} tells could not be kept`;
          return true;
        }),
      ],
      riskText: 'their status is their only trace: it is in the audit log afterwards',
      verify: { what: `${input.finding.rule} is healthy`, seconds: 60 },
      undo: { what: 'none: they had ended', steps: [] },
      notes: evicted.map(pod => `${pod.metadata.name}: ${pod.status?.message ?? ''}`),
      mends: true,
    };
  },
};
