import type { Action } from '../../model/remediation.ts';
import { Refusal } from '../refusal.ts';
import { RESTART_ACCESS, restartDraft } from '../restart-workload.ts';
import { targetOfKey } from '../targets.ts';

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
    const verify = { what: `${input.finding.rule} is healthy`, seconds: 300 };
    return restartDraft(input, keys.map(targetOfKey), verify);
  },
};
