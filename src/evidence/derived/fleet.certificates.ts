import { complaintsIn, placesIn } from '../certificate-complaints.ts';
import { type Context, derived } from '../collector.ts';
import { gapOf, known, listOrGap } from '../gaps.ts';
import { ref } from '../objects.ts';
import { collector as reachabilityCollector } from './fleet.reachability.ts';
import { CERTIFICATE, type Certificate, collector as certificatesCollector } from './network.certificates.ts';

/** What Node says of a server whose certificate has ended. */
const ENDED = /certificate has expired|CERT_HAS_EXPIRED/i;

const OUTDATED = {
  signature: 'certificate-expired',
  words: /x509: certificate has expired or is not yet valid: current time \S+ is after/,
};
const MISNAMED = {
  signature: 'certificate-wrong-name',
  words: /x509: (?:certificate is (?:not )?valid for|cannot validate certificate for)/,
};

type Complaint = Awaited<ReturnType<typeof complaintsIn>>[number];

export const collector = derived({
  id: 'fleet.certificates',
  about:
    'The certificates that one cluster shows, to this machine and by the logs of its clients; or that of its API server where it has ended and nothing could be read.',
  scope: 'fleet',
  params: ['cluster'],
  shape: [CERTIFICATE],
  async collect(context): Promise<readonly Certificate[]> {
    const name = context.params.cluster ?? '';
    const own = context.clusters.find(one => one.cluster === name);
    if (!own) return [];
    const reach = known(await listOrGap(context.get(reachabilityCollector))).find(one => one.name === name);
    if (reach && ENDED.test(reach.words)) return [ofApiServer(name)];
    const shown = await listOrGap(own.get(certificatesCollector));
    return [...shown, ...(await refusedIn(context, name))];
  },
});

/** What clients say of certificates of one cluster, wherever they run; that one could not be asked counts for its own. */
async function refusedIn(context: Context, name: string): Promise<readonly Certificate[]> {
  const places = placesIn(context);
  const rows: Certificate[] = [];
  for (const cluster of context.clusters) {
    for (const wording of [OUTDATED, MISNAMED]) {
      for (const one of await complaintsIn(cluster, wording, places)) {
        if (gapOf(one)) rows.push(...(cluster.cluster === name ? [one as never] : []));
        else if (one.cluster === name) rows.push(ofClient(one, wording === OUTDATED));
      }
    }
  }
  return rows;
}

function ofClient({ endpoint, subject, client, words }: Complaint, expired: boolean): Certificate {
  return {
    endpoint,
    endpointKey: `Endpoint ${endpoint}`,
    addressKey: `Address ${endpoint}`,
    subject,
    servedBy: 'client',
    host: endpoint.replace(/:[0-9]+$/, ''),
    notBefore: '',
    notAfter: expired ? (/ is after (?<end>[0-9T:+Z-]+)/.exec(words)?.groups?.end ?? '') : '',
    expired,
    remaining: 0,
    lifetime: 0,
    names: /valid for (?<names>[^"\\]+), not /.exec(words)?.groups?.names?.split(', ') ?? [],
    covers: expired,
    issuer: '',
    renewedBy: '',
    objects: [],
    client,
  };
}

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
    client: '',
  };
}
