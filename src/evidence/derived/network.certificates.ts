import type { Ref, ShapeOf } from '../../model/shape.ts';
import { type Context, derived } from '../collector.ts';
import { collector as ingressesCollector } from '../collectors/kubernetes.ingresses.ts';
import { collector as probeCollector } from '../collectors/network.probe.ts';
import { collector as storesCollector } from '../collectors/thanos.object-stores.ts';
import { gapElement, gapOf, gapped, gapsIn, known, listOrGap, orGap } from '../gaps.ts';
import { REF, ref } from '../objects.ts';
import { collector as addressesCollector } from './fleet.addresses.ts';

export const CERTIFICATE = {
  endpoint: 'str',
  endpointKey: 'str',
  addressKey: 'str',
  /** What serves it: an Ingress, a Service, or for a store outside the cluster its Endpoint. */
  subject: REF,
  /** ingress, load-balancer, object-store, api-server, or client for what one of its clients says */
  servedBy: 'str',
  host: 'str',
  notBefore: 'time',
  notAfter: 'time',
  expired: 'bool',
  /** Seconds. */
  remaining: 'int',
  lifetime: 'int',
  names: ['str'],
  covers: 'bool',
  issuer: 'str',
  /** Who renews it, as annotations tell; '' where none does. */
  renewedBy: 'str',
  objects: ['str'],
  /** The client that does not accept it, where a log says so and nobody looked; '' otherwise. */
  client: 'str',
} as const;

export type Certificate = ShapeOf<typeof CERTIFICATE>;
type Row = Certificate;

interface Place {
  readonly endpoint: string;
  readonly subject: Ref;
  readonly servedBy: string;
  readonly renewedBy: string;
  readonly objects: readonly string[];
}

export const collector = derived({
  id: 'network.certificates',
  about:
    'The certificates that Ingresses, load balancers and object stores of a cluster show from where the tool runs.',
  shape: [CERTIFICATE],
  async collect(context): Promise<readonly Row[]> {
    const { places, gaps } = await placesOf(context);
    const rows = await Promise.all(places.map(place => rowOf(context, place)));
    return [...rows.flat(), ...gaps];
  },
});

async function placesOf(context: Context): Promise<{ places: readonly Place[]; gaps: readonly Row[] }> {
  const [ingresses, addresses, stores] = await Promise.all([
    listOrGap(context.get(ingressesCollector)),
    listOrGap(context.get(addressesCollector)),
    listOrGap(context.get(storesCollector)),
  ]);
  const places = new Map<string, Place>();
  const add = (place: Place) => {
    if (!places.has(place.endpoint)) places.set(place.endpoint, place);
  };
  for (const ingress of known(ingresses)) {
    const hosts = new Set(ingress.tls.flatMap(entry => entry.hosts));
    for (const host of hosts) {
      if (host === '' || host.startsWith('*')) continue;
      const subject = ref('Ingress', ingress.namespace, ingress.name, ingress.uid);
      const renewedBy = Object.keys(ingress.annotations).some(name => name.startsWith('cert-manager.io/'))
        ? 'cert-manager'
        : '';
      add({
        endpoint: `${host.toLowerCase()}:443`,
        subject,
        servedBy: 'ingress',
        renewedBy,
        objects: [`Host ${host}`],
      });
    }
  }
  for (const row of known(addresses)) {
    if (row.cluster !== context.cluster || row.address === '') continue;
    if (row.kind !== 'load-balancer' && row.kind !== 'external-ip') continue;
    const subject = ref('Service', row.service.namespace, row.service.name, row.service.uid);
    add({ endpoint: row.address, subject, servedBy: 'load-balancer', renewedBy: '', objects: row.objects });
  }
  const unreadable: Row[] = [];
  for (const store of known(stores)) {
    const address = orGap(() => (store.type === 'S3' && !store.insecure && !store.skipVerify ? store.address : ''));
    const gap = gapOf(address);
    if (gap) unreadable.push(gapElement(gap));
    else if (address !== '') {
      const subject = { kind: 'Endpoint', namespace: '', name: address, uid: '', key: store.endpointKey };
      add({ endpoint: address, subject, servedBy: 'object-store', renewedBy: '', objects: [store.secret.key] });
    }
  }
  const own = gapsIn([...ingresses, ...stores]);
  return { places: [...places.values()], gaps: [...unreadable, ...own.map(gap => gapElement(gap) as Row)] };
}

async function rowOf(context: Context, place: Place): Promise<readonly Row[]> {
  const probe = await gapped(context.get(probeCollector, { endpoint: place.endpoint }));
  const gap = gapOf(probe);
  if (gap) return [gapElement({ ...gap, evidence: 'network.probe' })];
  if (!probe.certificate.present) return [];
  const { notBefore, notAfter, expired, remaining, lifetime, names, covers, issuer } = probe.certificate;
  return [
    {
      endpoint: place.endpoint,
      endpointKey: `Endpoint ${place.endpoint}`,
      addressKey: `Address ${place.endpoint}`,
      subject: place.subject,
      servedBy: place.servedBy,
      host: place.endpoint.replace(/:[0-9]+$/, ''),
      notBefore,
      notAfter,
      expired,
      remaining,
      lifetime,
      names,
      covers,
      issuer,
      renewedBy: place.renewedBy,
      objects: place.objects,
      client: '',
    },
  ];
}
