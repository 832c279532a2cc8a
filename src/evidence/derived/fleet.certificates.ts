import { derived } from '../collector.ts';
import { known, listOrGap } from '../gaps.ts';
import { ref } from '../objects.ts';
import { collector as reachabilityCollector } from './fleet.reachability.ts';
import { CERTIFICATE, type Certificate, collector as certificatesCollector } from './network.certificates.ts';

/** What Node says of a server whose certificate has ended. */
const ENDED = /certificate has expired|CERT_HAS_EXPIRED/i;

export const collector = derived({
  id: 'fleet.certificates',
  about:
    'The certificates that one cluster shows, or that of its API server where it has ended and nothing could be read.',
  scope: 'fleet',
  params: ['cluster'],
  shape: [CERTIFICATE],
  async collect(context): Promise<readonly Certificate[]> {
    const name = context.params.cluster ?? '';
    const own = context.clusters.find(one => one.cluster === name);
    if (!own) return [];
    const reach = known(await listOrGap(context.get(reachabilityCollector))).find(one => one.name === name);
    return reach && ENDED.test(reach.words) ? [ofApiServer(name)] : listOrGap(own.get(certificatesCollector));
  },
});

function ofApiServer(cluster: string): Certificate {
  return {
    endpoint: `the API server of ${cluster}`,
    endpointKey: '',
    addressKey: '',
    subject: ref('Cluster', '', cluster),
    servedBy: 'api-server',
    host: '',
    notBefore: '',
    notAfter: '',
    expired: true,
    remaining: 0,
    lifetime: 0,
    names: [],
    covers: true,
    issuer: '',
    renewedBy: '',
    objects: [],
  };
}
