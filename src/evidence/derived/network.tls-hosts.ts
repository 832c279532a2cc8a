import type { ShapeOf } from '../../model/shape.ts';
import { derived } from '../collector.ts';
import { collector as ingressesCollector } from '../collectors/kubernetes.ingresses.ts';
import { collector as probeCollector } from '../collectors/network.probe.ts';
import { gapElement, gapOf, gapped, gapsIn, known } from '../gaps.ts';
import { REF, ref } from '../objects.ts';

const ROW = {
  ingress: REF,
  age: 'int',
  created: 'time',
  addresses: ['str'],
  host: 'str',
  /** Name of the Secret that the Ingress names for it; '' for the controller's own certificate. */
  secret: 'str',
  endpoint: 'str',
  /** What it shows at its TLS port: nothing (it is open, and no TLS comes of it), default (the controller's own stand-in), certificate, or '' where it is not open. */
  shows: 'str',
  issuer: 'str',
  names: ['str'],
} as const;

type Row = ShapeOf<typeof ROW>;
type Probe = ShapeOf<typeof probeCollector.shape>;

export const collector = derived({
  id: 'network.tls-hosts',
  about: 'Each host of an Ingress with TLS, the Secret that it names, and what it shows from where the tool runs.',
  shape: [ROW],
  async collect(context): Promise<readonly Row[]> {
    const ingresses = await context.get(ingressesCollector);
    const rows: Row[] = [];
    for (const ingress of known(ingresses)) {
      for (const { hosts, secret } of ingress.tls) {
        for (const host of hosts) {
          if (host === '' || host.startsWith('*')) continue;
          const endpoint = `${host.toLowerCase()}:443`;
          const probe = await gapped(context.get(probeCollector, { endpoint }));
          const gap = gapOf(probe);
          if (gap) rows.push(gapElement({ ...gap, evidence: 'network.probe' }));
          else
            rows.push({
              ingress: ref('Ingress', ingress.namespace, ingress.name, ingress.uid),
              age: ingress.age,
              created: ingress.created,
              addresses: ingress.addresses.filter(address => address !== ''),
              host,
              secret,
              endpoint,
              shows: shownBy(probe),
              issuer: probe.certificate.issuer,
              names: probe.certificate.names,
            });
        }
      }
    }
    return [...rows, ...gapsIn(ingresses).map(gap => gapElement(gap) as Row)];
  },
});

/** Certificates that controllers make up for themselves: NGINX's and Traefik's say so. Cilium has none, and resets. */
const STAND_IN = /fake certificate|default cert/i;

function shownBy({ tcp, speaks, certificate }: Probe): string {
  if (tcp !== 'open') return '';
  if (!certificate.present) return speaks === 'nothing' ? 'nothing' : '';
  return !certificate.covers && STAND_IN.test([certificate.issuer, ...certificate.names].join(' '))
    ? 'default'
    : 'certificate';
}
