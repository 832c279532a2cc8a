import type { Action } from '../../model/remediation.ts';
import { guard } from '../guards.ts';
import { Refusal } from '../refusal.ts';
import {
  CONFIGURATION_ACCESS,
  configurationDraft,
  hostAndPort,
  lineOf,
  readConfiguration,
  speaks,
} from '../store-configuration.ts';

export const action: Action = {
  id: 'thanos.correct-endpoint',
  title: 'write the endpoint as host and port',
  risk: 'change',
  parameters: { secret: 'needed', key: 'needed' },
  access: CONFIGURATION_ACCESS,
  async plan(input) {
    const stored = await readConfiguration(input);
    const { config } = stored.document;
    const found = /^(?:(https?):\/\/)?([^/?#@\s]+)(\/?)$/.exec(String(config.endpoint ?? ''));
    if (!found)
      throw new Refusal('one-reading-only', 'the endpoint has a path or a user: what is meant, you have to say');
    const [, scheme, address = ''] = found;
    const { host, port } = hostAndPort(address);
    const insecure = scheme === undefined ? config.insecure === true : scheme === 'http';
    const lines = [lineOf(stored, 'endpoint', address)];
    if (insecure !== (config.insecure === true)) lines.push(lineOf(stored, 'insecure', String(insecure)));
    const guards = [
      await guard('one-reading-only', 'it can be read in one way only', () => {
        const contradicts =
          scheme !== undefined && config.insecure !== undefined && insecure !== (config.insecure === true);
        return contradicts ? `the endpoint says ${scheme}, and insecure says ${config.insecure}` : true;
      }),
      await guard('endpoint-answers', 'the endpoint answers so, asked now', async () => {
        const said = await speaks(input, host, port || (insecure ? 80 : 443));
        const expected = insecure ? 'http' : 'tls';
        return said === expected || `${host}:${port || (insecure ? 80 : 443)} speaks ${said}`;
      }),
    ];
    return configurationDraft(input, stored, lines, guards, 'the users restart with the corrected endpoint');
  },
};
