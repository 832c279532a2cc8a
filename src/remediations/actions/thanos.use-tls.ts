import type { Action } from '../../model/remediation.ts';
import { recordOf } from '../evidence-rows.ts';
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
  id: 'thanos.use-tls',
  title: 'speak TLS to the store',
  risk: 'change',
  parameters: { secret: 'needed', key: 'needed' },
  access: CONFIGURATION_ACCESS,
  async plan(input) {
    const stored = await readConfiguration(input);
    const { config } = stored.document;
    const { host, port } = hostAndPort(String(config.endpoint ?? ''));
    const endpoint = `${host}:${port || 443}`;
    const guards = [
      await guard('port-written-by-hand', 'no port for plain HTTP is written', () =>
        port === 80 ? 'the endpoint names port 80: whether it is 443 or another instead, you have to say' : true,
      ),
      await guard('endpoint-speaks-tls', 'the endpoint speaks TLS, asked now', async () => {
        const said = await speaks(input, host, port || 443);
        return said === 'tls' || `${endpoint} speaks ${said}`;
      }),
      await guard('certificate-trusted-by-users', 'its users trust the certificate', async () => {
        const { tls_config: tls = {}, insecure_skip_verify: skips } = config.http_config ?? {};
        if (tls.ca_file || tls.insecure_skip_verify === true || skips === true) return true;
        const probe = await recordOf(input.evidence, 'network.probe', { endpoint });
        const { issuer = '' } = probe.certificate ?? {};
        return (
          /Let's Encrypt|DigiCert|Sectigo|GlobalSign|Amazon|Google Trust|ZeroSSL|Entrust|GoDaddy/.test(issuer) ||
          `the certificate was issued by ${issuer || 'an unknown authority'}, which is not public, and no ca_file is set`
        );
      }),
    ];
    return configurationDraft(
      input,
      stored,
      [lineOf(stored, 'insecure', 'false')],
      guards,
      'the users restart; one that does not trust the certificate fails',
    );
  },
};
