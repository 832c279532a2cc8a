import type { RawObject } from '../../model/source.ts';
import { listOf } from '../collector.ts';
import { flag, list, NOBODY, number, REF, ref, text } from '../objects.ts';

export const collector = listOf({
  id: 'kubernetes.endpoint-slices',
  about: 'Addresses behind Services.',
  core: true,
  group: 'discovery.k8s.io',
  resource: 'endpointslices',
  kind: 'EndpointSlice',
  fields: {
    service: 'str',
    addressType: 'str',
    ports: [{ name: 'str', port: 'int', protocol: 'str' }],
    endpoints: [
      {
        addresses: ['str'],
        ready: 'bool',
        serving: 'bool',
        terminating: 'bool',
        node: 'str',
        hostname: 'str',
        target: REF,
      },
    ],
  },
  row(object) {
    const namespace = text(object.metadata?.namespace);
    return {
      service: text(object.metadata?.labels?.['kubernetes.io/service-name']),
      addressType: text(object.addressType),
      ports: list(object.ports).map(port => ({
        name: text(port?.name),
        port: number(port?.port),
        protocol: text(port?.protocol) || 'TCP',
      })),
      endpoints: list(object.endpoints).map(endpoint => endpointOf(endpoint, namespace)),
    };
  },
});

/** Conditions that are not said count as ready, as the API documents it. */
function endpointOf(raw: RawObject, namespace: string) {
  const ready = flag(raw?.conditions?.ready, true);
  const target = raw?.targetRef;
  return {
    addresses: list(raw?.addresses).map(text),
    ready,
    serving: flag(raw?.conditions?.serving, ready),
    terminating: flag(raw?.conditions?.terminating),
    node: text(raw?.nodeName),
    hostname: text(raw?.hostname),
    target: target
      ? ref(text(target.kind), text(target.namespace) || namespace, text(target.name), text(target.uid))
      : NOBODY,
  };
}
