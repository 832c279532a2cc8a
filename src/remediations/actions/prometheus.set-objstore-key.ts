import { parse } from 'yaml';
import type { Action } from '../../model/remediation.ts';
import { guard } from '../guards.ts';
import { textIn } from '../perform.ts';
import { PROMETHEUS_ACCESS } from '../prometheus-resource.ts';
import { Refusal } from '../refusal.ts';
import { changeStep, existing } from '../steps.ts';
import { nameOf, targetOf, targetOfKey } from '../targets.ts';
import { undoStepsOf } from '../undo.ts';

export const action: Action = {
  id: 'prometheus.set-objstore-key',
  title: 'name the key that the Secret has',
  risk: 'restart',
  parameters: { secret: 'needed' },
  access: [
    ...PROMETHEUS_ACCESS,
    { verbs: ['list'], group: 'monitoring.coreos.com', resource: 'prometheuses' },
    { verbs: ['get'], group: '', resource: 'secrets' },
  ],
  async plan(input) {
    const secret = targetOfKey(input.parameters.secret);
    const object = await existing(input.api, secret);
    const keys = Object.keys(object.data ?? {});
    const candidates = keys.filter(key => isStore(textIn(object, key)));
    const users = (await input.api.list('monitoring.coreos.com', 'prometheuses', secret.namespace)).filter(
      ({ spec }) => {
        const reference = spec?.thanos?.objectStorageConfig;
        return reference?.name === secret.name && !keys.includes(reference.key);
      },
    );
    const [user] = users;
    if (!user || users.length > 1)
      throw new Refusal(
        'one-object',
        `${users.length} Prometheus resources name a key that ${nameOf(secret)} does not have`,
      );
    const key = candidates[0];
    if (candidates.length !== 1 || !key)
      throw new Refusal(
        'secret-has-one-candidate',
        `${candidates.length} keys of ${nameOf(secret)} hold an object storage configuration`,
      );
    const target = targetOf('Prometheus', secret.namespace, user.metadata.name);
    const steps = [
      changeStep(target, user, `name key ${key} in Prometheus ${target.name}`, [
        [['spec', 'thanos', 'objectStorageConfig', 'key'], key],
      ]),
    ];
    return {
      steps,
      guards: [
        await guard('secret-has-one-candidate', 'the Secret has one key that can be meant', () => true),
        await guard('pods-do-not-run-on-it-now', 'no pod runs with what is written now', async () => {
          const pods = await input.api.list('', 'pods', secret.namespace, `operator.prometheus.io/name=${target.name}`);
          const running = pods.find(pod =>
            (pod.status?.containerStatuses ?? []).some(
              (status: { name: string; state?: { running?: unknown } }) =>
                status.name === 'thanos-sidecar' && status.state?.running,
            ),
          );
          return running ? `the sidecar of ${running.metadata.name} runs` : true;
        }),
      ],
      riskText: 'the pods restart one after another',
      verify: { what: `${input.finding.rule} is healthy`, seconds: 300 },
      undo: { what: 'writes the old key back', steps: undoStepsOf(steps) },
      mends: true,
    };
  },
};

function isStore(text: string | undefined): boolean {
  if (text === undefined) return false;
  try {
    const document = parse(text, { prettyErrors: false });
    return typeof document?.type === 'string' && typeof document.config === 'object';
  } catch {
    return false;
  }
}
