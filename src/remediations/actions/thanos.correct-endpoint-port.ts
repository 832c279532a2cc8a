import type { Action } from '../../model/remediation.ts';
import { ARGUMENTS_ACCESS, argumentsDraft } from '../container-flags.ts';
import { recordOf } from '../evidence-rows.ts';
import { guard } from '../guards.ts';
import { Refusal } from '../refusal.ts';
import { nameOf, targetOf, targetOfKey } from '../targets.ts';

export const action: Action = {
  id: 'thanos.correct-endpoint-port',
  title: 'ask the gRPC port',
  risk: 'restart',
  parameters: { workload: 'needed', flag: 'needed', value: 'needed', port: 'optional' },
  access: [...ARGUMENTS_ACCESS, { verbs: ['get'], group: '', resource: 'services' }],
  async plan(input) {
    const target = targetOfKey(input.parameters.workload);
    const { flag = '--endpoint', value = '', port = '10901' } = input.parameters;
    const host = value.replace(/:\d+$/, '');
    if (!/^[A-Za-z0-9_+.-]+$/.test(host) || !/^\d+$/.test(port))
      throw new Refusal('one-reading-only', `"${value}" is no host and port`);
    const wrong = [`${flag}=${value}`];
    const right = `${host}:${port}`;
    return argumentsDraft(
      input,
      target,
      `ask ${right} instead of ${value} in ${nameOf(target)}`,
      args => {
        const at = args.findIndex(
          (word, index) => wrong.includes(word) || (word === value && args[index - 1] === flag),
        );
        if (at < 0) throw new Refusal('something-to-change', `${nameOf(target)} has no ${flag}=${value}`);
        return args.with(at, args[at] === value ? right : `${flag}=${right}`);
      },
      [
        await guard('target-speaks-grpc-there', 'gRPC is served there', async () => {
          const [name = '', namespace = target.namespace] = host.replace(/^dns(?:srv|srvnoa)?\+/, '').split('.');
          const service = await input.api.get(targetOf('Service', namespace, name));
          if (service) {
            const found = (service.spec?.ports ?? []).some((entry: { port: number }) => String(entry.port) === port);
            return found || `Service ${namespace}/${name} has no port ${port}`;
          }
          const probe = await recordOf(input.evidence, 'network.probe', { endpoint: right });
          return probe.speaks === 'grpc' || `${right} speaks ${probe.speaks || `nothing (${probe.tcp})`}`;
        }),
      ],
    );
  },
};
