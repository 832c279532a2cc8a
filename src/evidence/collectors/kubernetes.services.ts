import type { RawObject } from '../../model/source.ts';
import { listOf } from '../collector.ts';
import { CONDITIONS, conditionsOf } from '../conditions.ts';
import { flag, list, number, strings, text, textOrNumber } from '../objects.ts';

/** Annotations by which a Service asks for an address. */
const REQUESTS = ['lbipam.cilium.io/ips', 'io.cilium/lb-ipam-ips', 'metallb.universe.tf/loadBalancerIPs'];

export const collector = listOf({
  id: 'kubernetes.services',
  about: 'Services with their addresses and the state of their load balancer.',
  core: true,
  group: '',
  resource: 'services',
  kind: 'Service',
  fields: {
    type: 'str',
    clusterIp: 'str',
    headless: 'bool',
    selector: 'map',
    ports: [{ name: 'str', port: 'int', targetPort: 'str', nodePort: 'int', protocol: 'str', appProtocol: 'str' }],
    /** Addresses and host names that the load balancer has been given. */
    externalIps: ['str'],
    /** `spec.externalIPs`: addresses that somebody else brings to the nodes. */
    specExternalIps: ['str'],
    requestedIps: ['str'],
    loadBalancerClass: 'str',
    externalTrafficPolicy: 'str',
    publishNotReady: 'bool',
    externalName: 'str',
    conditions: CONDITIONS,
  },
  row({ metadata, spec, status }, context) {
    const clusterIp = text(spec?.clusterIP);
    return {
      type: text(spec?.type),
      clusterIp,
      headless: clusterIp === 'None',
      selector: strings(spec?.selector),
      ports: list(spec?.ports).map(port => ({
        name: text(port?.name),
        port: number(port?.port),
        targetPort: textOrNumber(port?.targetPort ?? port?.port),
        nodePort: number(port?.nodePort),
        protocol: text(port?.protocol) || 'TCP',
        appProtocol: text(port?.appProtocol),
      })),
      externalIps: list(status?.loadBalancer?.ingress).map(entry => text(entry?.ip) || text(entry?.hostname)),
      specExternalIps: list(spec?.externalIPs).map(text),
      requestedIps: requested(metadata?.annotations, spec),
      loadBalancerClass: text(spec?.loadBalancerClass),
      externalTrafficPolicy: text(spec?.externalTrafficPolicy),
      publishNotReady: flag(spec?.publishNotReadyAddresses),
      externalName: text(spec?.externalName),
      conditions: conditionsOf(status?.conditions, context),
    };
  },
});

function requested(annotations: RawObject, spec: RawObject): readonly string[] {
  const asked = [text(spec?.loadBalancerIP), ...REQUESTS.flatMap(name => text(annotations?.[name]).split(','))];
  return [...new Set(asked.map(address => address.trim()).filter(address => address !== ''))];
}
