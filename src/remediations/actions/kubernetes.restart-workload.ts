import type { Action } from '../../model/remediation.ts';
import { Refusal } from '../refusal.ts';
import { RESTART_ACCESS, restartDraft } from '../restart-workload.ts';
import { nameOf, targetOfKey } from '../targets.ts';

export const action: Action = {
  id: 'kubernetes.restart-workload',
  title: 'restart',
  risk: 'restart',
  parameters: { workload: 'needed' },
  access: RESTART_ACCESS,
  async plan(input) {
    // Several, separated by commas, are restarted in this order.
    const keys = (input.parameters.workload ?? '')
      .split(',')
      .map(key => key.trim())
      .filter(Boolean);
    if (keys.length === 0) throw new Refusal('one-object', 'no workload is named');
    const targets = keys.map(targetOfKey);
    return restartDraft(input, targets, {
      what: `${input.finding.rule} is healthy, and the pods have run for a minute`,
      seconds: 300,
      signals: [{ is: 'runs-for', workloads: targets.map(nameOf), container: '', seconds: 60 }],
    });
  },
};
