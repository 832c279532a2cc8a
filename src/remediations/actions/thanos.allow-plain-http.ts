import type { Action } from '../../model/remediation.ts';
import { guard } from '../guards.ts';
import {
  CONFIGURATION_ACCESS,
  configurationDraft,
  hostAndPort,
  lineOf,
  readConfiguration,
  speaks,
} from '../store-configuration.ts';

export const action: Action = {
  id: 'thanos.allow-plain-http',
  title: 'allow plain HTTP',
  risk: 'change',
  parameters: { secret: 'needed', key: 'needed' },
  access: CONFIGURATION_ACCESS,
  async plan(input) {
    const stored = await readConfiguration(input);
    const { config } = stored.document;
    const { host, port } = hostAndPort(String(config.endpoint ?? ''));
    const guards = [
      await guard('port-written-by-hand', 'no port for TLS is written', () =>
        port === 443 ? `the endpoint names port 443: whether it is 80 or another instead, you have to say` : true,
      ),
      // With `insecure`, port 80 is asked where none is written: that is where it has to answer.
      await guard('endpoint-speaks-http', 'the endpoint speaks HTTP, asked now', async () => {
        const said = await speaks(input, host, port || 80);
        return said === 'http' || `${host}:${port || 80} speaks ${said}`;
      }),
      await guard('no-tls-elsewhere', 'nothing there says that TLS is meant', () => {
        const tls = config.http_config?.tls_config ?? {};
        const set = Object.keys(tls).filter(name => tls[name] !== '' && tls[name] !== false && tls[name] !== null);
        return set.length === 0 || `http_config.tls_config.${set[0]} is set`;
      }),
    ];
    const risk =
      'blocks and credentials keep crossing the network unencrypted, as the server already forces; the users restart';
    return configurationDraft(input, stored, [lineOf(stored, 'insecure', 'true')], guards, risk);
  },
};
