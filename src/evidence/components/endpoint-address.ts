/** One address as Thanos is given it. */
export interface EndpointAddress {
  /** As written. */
  readonly given: string;
  /** '', dns, dnssrv or dnssrvnoa */
  readonly scheme: string;
  /** host:port, or the record name alone for an SRV record without a port; lower case. */
  readonly name: string;
  /** The host; of an SRV record, what follows `_port._tcp.`. */
  readonly host: string;
  /** 0 where none is written. */
  readonly port: number;
  /** Of an SRV record: `grpc` of `_grpc._tcp.…`. */
  readonly portName: string;
  /** '' or why it cannot be resolved as it is written. */
  readonly fault: string;
}

export function parseEndpoint(given: string, isStatic = false): EndpointAddress {
  const [, scheme = '', rest = given] = /^(dns|dnssrv|dnssrvnoa)\+(.*)$/.exec(given) ?? [];
  const name = rest.trim().toLowerCase();
  const srv = scheme === 'dnssrv' || scheme === 'dnssrvnoa';
  const split = /^(\[[^\]]*\]|[^:]*)(?::([0-9]+))?$/.exec(name);
  const whole = split?.[1] ?? name;
  const port = Number(split?.[2] ?? 0);
  const record = srv ? /^_([^.]+)\._(?:tcp|udp)\.(.+)$/.exec(whole) : null;
  const base = { given, scheme, name, host: record?.[2] ?? whole, port, portName: record?.[1] ?? '' };
  return { ...base, fault: faultOf(base, srv, record !== null, isStatic) };
}

function faultOf(address: Omit<EndpointAddress, 'fault'>, srv: boolean, record: boolean, isStatic: boolean): string {
  const { name, scheme, port } = address;
  if (/^[a-z][a-z0-9.-]*:\/\//.test(name)) return 'it begins with a scheme such as http://, which is no part of it';
  if (name.includes('/')) return 'it has a path, which is no part of it';
  if (isStatic && scheme !== '') return `a strict endpoint is taken as it is written, and ${scheme}+ is not looked up`;
  if (srv && !record) return 'an SRV record begins with _port._tcp.';
  if (!srv && port === 0) return 'it has no port';
  return '';
}

/** The Service that a host name means inside a cluster: `s.ns.svc…`, `s.ns`, or `s` in `namespace`; a pod's name before it is dropped. */
export function serviceOf(
  host: string,
  namespace: string,
): { readonly namespace: string; readonly name: string } | null {
  const bare = host.replace(/\.$/, '');
  const labels = bare.split('.');
  const svc = labels.indexOf('svc');
  if (svc === 2 || svc === 3) return { name: labels[svc - 2]!, namespace: labels[svc - 1]! };
  if (svc !== -1 || /^[0-9.]+$/.test(bare) || bare.startsWith('[')) return null;
  if (labels.length === 1) return { name: bare, namespace };
  return labels.length === 2 ? { name: labels[0]!, namespace: labels[1]! } : null;
}

export function isIpAddress(host: string): boolean {
  return /^[0-9]{1,3}(?:\.[0-9]{1,3}){3}$/.test(host) || /^\[[0-9a-f:.]+\]$/i.test(host);
}
