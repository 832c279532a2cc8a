import { fetched } from '../collector.ts';
import { age } from '../objects.ts';

const NO_CERTIFICATE = {
  present: false,
  notBefore: '',
  notAfter: '',
  notAfterAge: -1,
  expired: false,
  remaining: 0,
  lifetime: 0,
  names: [],
  covers: false,
  issuer: '',
};

/** Names of Services are known inside their cluster only: here they never resolve, and that means nothing. */
function isClusterName(endpoint: string): boolean {
  return /\.svc(\.[^:]*)?(:\d+)?$/.test(endpoint);
}

/** A wildcard stands for one label. An address is covered by itself alone. */
function covers(names: readonly string[], endpoint: string): boolean {
  const host = endpoint
    .replace(/:[0-9]+$/, '')
    .replace(/^\[|\]$/g, '')
    .toLowerCase();
  const parent = host.slice(host.indexOf('.'));
  return (
    names.length === 0 ||
    names.some(name => name.toLowerCase() === host || (name.startsWith('*.') && name.slice(1).toLowerCase() === parent))
  );
}

/** Whole seconds from one moment (milliseconds) to a later one; 0 where one of them is not known. */
function secondsBetween(from: number, to: number): number {
  return Math.max(0, Math.floor((to - from) / 1000)) || 0;
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
      /** Seconds until it ends; 0 once it has. */
      remaining: 'int',
      /** Seconds from its beginning to its end. */
      lifetime: 'int',
      names: ['str'],
      /** It is for the host that was asked; a certificate that names nobody is taken as if it were. */
      covers: 'bool',
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
        remaining: expired ? 0 : secondsBetween(context.takenAt, Date.parse(certificate.notAfter)),
        lifetime: secondsBetween(Date.parse(certificate.notBefore), Date.parse(certificate.notAfter)),
        covers: covers(certificate.names, endpoint),
      },
    };
  },
});
