import type { Action } from '../../model/remediation.ts';
import { rowsOf } from '../evidence-rows.ts';
import { guard } from '../guards.ts';
import { PROMETHEUS_ACCESS, prometheusResource, resourceDraft } from '../prometheus-resource.ts';
import { Refusal } from '../refusal.ts';
import { nameOf } from '../targets.ts';

const LEAST = 1800;
const MOST = 7200;
/** What the operator allows where nothing is said. */
const DEFAULT = 900;

export const action: Action = {
  id: 'prometheus.extend-startup-budget',
  title: 'give it more time to start',
  risk: 'restart',
  parameters: { prometheus: 'needed' },
  access: PROMETHEUS_ACCESS,
  async plan(input) {
    const resource = await prometheusResource(input);
    const { target, object } = resource;
    const now = object.spec?.maximumStartupDurationSeconds ?? DEFAULT;
    if (now >= MOST) throw new Refusal('at-most', `it has ${now} s already`);
    const seconds = Math.min(MOST, Math.max(LEAST, now * 2));
    const replicas = () => rowsOf(input.evidence, 'prometheus.replicas');
    return resourceDraft(
      resource,
      `give Prometheus ${target.name} ${seconds} s to start`,
      [[['spec', 'maximumStartupDurationSeconds'], seconds]],
      {
        guards: [
          await guard('not-out-of-memory', 'it is not killed for want of memory', async () => {
            const mine = (await replicas()).filter(
              row => row.prometheus.namespace === target.namespace && row.prometheus.name === target.name,
            );
            const killed = mine.find(row => row.last.reason === 'OOMKilled' || row.before.reason === 'OOMKilled');
            return killed
              ? `${killed.pod.name} was OOMKilled: it needs memory, not time`
              : mine.length > 0 || 'it has no pod that is known';
          }),
        ],
        riskText: 'the pods restart one after another; one that really hangs is noticed later',
        verify: {
          what: `${input.finding.rule} is healthy, and its pods are ready`,
          seconds,
          signals: [{ is: 'prometheus-ready', prometheus: nameOf(target) }],
        },
        mends: true,
      },
    );
  },
};
