import { fetched } from '../collector.ts';
import { age } from '../objects.ts';

const NO_CERTIFICATE = {
  present: false,
  notBefore: '',
  notAfter: '',
  notAfterAge: -1,
  expired: false,
  names: [],
  issuer: '',
};

/** Names of Services are known inside their cluster only: here they never resolve, and that means nothing. */
function isClusterName(endpoint: string): boolean {
  return /\.svc(\.[^:]*)?(:\d+)?$/.test(endpoint);
}

export const collector = fetched({
  id: 'network.probe',
  about: 'What a TCP port really speaks, asked from where the tool runs. Seen from here is not seen from a pod.',
  params: ['endpoint'],
  shape: {
    endpoint: 'str',
    from: 'str',
    /** open, refused, timeout, unresolved or unroutable */
    tcp: 'str',
    /** http, tls, grpc (HTTP/2 without TLS), nothing, or '' where the port is not open */
    speaks: 'str',
    /** A name that only the cluster itself can look up. */
    clusterName: 'bool',
    certificate: {
      present: 'bool',
      notBefore: 'time',
      notAfter: 'time',
      /** Seconds since it ended; -1 while it is valid. */
      notAfterAge: 'int',
      expired: 'bool',
      names: ['str'],
      issuer: 'str',
    },
  },
  async collect(context) {
    const endpoint = context.params.endpoint ?? '';
    if (isClusterName(endpoint)) {
      return { endpoint, from: 'here', tcp: 'unresolved', speaks: '', clusterName: true, certificate: NO_CERTIFICATE };
    }
    const { tcp, speaks, certificate } = await context.source.probe(endpoint);
    if (!certificate) return { endpoint, from: 'here', tcp, speaks, clusterName: false, certificate: NO_CERTIFICATE };
    const expired = Date.parse(certificate.notAfter) < context.takenAt;
    return {
      endpoint,
      from: 'here',
      tcp,
      speaks,
      clusterName: false,
      certificate: {
        ...certificate,
        present: true,
        notAfterAge: expired ? age(context, certificate.notAfter) : -1,
        expired,
      },
    };
  },
});
