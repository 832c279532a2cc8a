import type { ShapeOf } from '../../model/shape.ts';
import { COMPLAINT, complaintsIn, placesIn } from '../certificate-complaints.ts';
import { derived } from '../collector.ts';
import { known, listOrGap } from '../gaps.ts';
import { ref } from '../objects.ts';
import { collector as reachabilityCollector } from './fleet.reachability.ts';

type Row = ShapeOf<typeof COMPLAINT>;

const UNKNOWN = {
  signature: 'certificate-unknown-authority',
  words: /certificate signed by unknown authority/,
};
/** What Node says of a server whose authority is not that of the kubeconfig. */
const PREFLIGHT =
  /unable to (?:verify the first|get (?:local )?issuer) certificate|self[- ]signed certificate|UNABLE_TO_(?:VERIFY|GET)/i;

export const collector = derived({
  id: 'network.unknown-issuers',
  about:
    'Certificates of authorities that their clients do not know, as the clients say it; never by a look from here.',
  scope: 'fleet',
  shape: [COMPLAINT],
  async collect(context): Promise<readonly Row[]> {
    const places = placesIn(context);
    const rows: Row[] = [];
    for (const cluster of context.clusters) rows.push(...(await complaintsIn(cluster, UNKNOWN, places)));
    for (const one of known(await listOrGap(context.get(reachabilityCollector)))) {
      if (!PREFLIGHT.test(one.words)) continue;
      rows.push({
        cluster: one.name,
        subject: ref('Cluster', '', one.name),
        endpoint: '',
        keys: [one.key],
        client: 'this machine',
        caFile: 'certificate-authority-data of the kubeconfig',
        words: one.words,
        since: '',
        by: 'preflight',
      });
    }
    return rows;
  },
});
