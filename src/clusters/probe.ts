import { connect, isIP, type Socket } from 'node:net';
import { connect as connectTls, type PeerCertificate } from 'node:tls';
import { GapSignal } from '../model/gap.ts';
import type { ProbeAnswer } from '../model/source.ts';

const PREFACE = Buffer.concat([
  Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1'),
  // An empty SETTINGS frame.
  Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]),
]);

const UNRESOLVED: ProbeAnswer = { tcp: 'unresolved', speaks: '', certificate: null };

function isState(word: string | undefined): word is 'timeout' | 'unresolved' | 'unroutable' {
  return word === 'timeout' || word === 'unresolved' || word === 'unroutable';
}

interface Address {
  readonly host: string;
  readonly port: number;
}

/**
 * What a TCP port speaks, asked from here: a connection each for TCP, a TLS hello, an HTTP/1 request and the HTTP/2
 * preface, until one is understood. Names of Services inside of a cluster are not looked up. An answer that comes when
 * `stop` has been given is worth nothing.
 */
export async function probeEndpoint(
  endpoint: string,
  timeout: number,
  redirect: ReadonlyMap<string, string> = new Map(),
  stop: AbortSignal = new AbortController().signal,
): Promise<ProbeAnswer> {
  const named = parseEndpoint(endpoint);
  if (/\.svc(?:\.|$)/.test(named.host)) return UNRESOLVED;
  const elsewhere = redirect.get(endpoint);
  if (isState(elsewhere)) return { tcp: elsewhere, speaks: '', certificate: null };
  const address = elsewhere === undefined ? named : parseEndpoint(elsewhere);
  const tcp = await connectTcp(address, timeout, stop);
  if (tcp !== 'open') return { tcp, speaks: '', certificate: null };
  const tls = await greetTls(address, timeout, stop);
  if (tls) return { tcp, speaks: 'tls', certificate: tls.certificate };
  const request = Buffer.from(`GET / HTTP/1.1\r\nHost: ${endpoint}\r\nConnection: close\r\n\r\n`, 'latin1');
  const toHttp = await firstBytes(address, request, timeout, stop);
  if (toHttp.toString('latin1', 0, 5) === 'HTTP/') return { tcp, speaks: 'http', certificate: null };
  const toPreface = isSettings(toHttp) ? toHttp : await firstBytes(address, PREFACE, timeout, stop);
  return { tcp, speaks: isSettings(toPreface) ? 'grpc' : 'nothing', certificate: null };
}

/** The socket, which is taken away when the run ends: what it then seems to be is not to be believed. */
function endingWith<Connection extends Socket>(stop: AbortSignal, socket: Connection): Connection {
  const end = () => void socket.destroy(new Error('the run was stopped'));
  stop.addEventListener('abort', end);
  socket.on('close', () => stop.removeEventListener('abort', end));
  if (stop.aborted) end();
  return socket;
}

function parseEndpoint(endpoint: string): Address {
  const match = /^(?:\[([^\]]+)\]|([^:\s]+)):([0-9]+)$/.exec(endpoint);
  const port = Number(match?.[3]);
  if (!match || port < 1 || port > 65535) {
    throw new GapSignal({ reason: 'malformed', detail: `"${endpoint}" is no host:port`, path: `probe ${endpoint}` });
  }
  return { host: match[1] ?? match[2] ?? '', port };
}

function connectTcp(address: Address, timeout: number, stop: AbortSignal): Promise<ProbeAnswer['tcp']> {
  return new Promise((resolve, reject) => {
    const socket = endingWith(stop, connect({ ...address, timeout }));
    const settle = (answer: ProbeAnswer['tcp']) => {
      socket.destroy();
      resolve(answer);
    };
    socket.on('connect', () => settle('open'));
    socket.on('timeout', () => settle('timeout'));
    socket.on('error', (error: NodeJS.ErrnoException & { readonly errors?: readonly NodeJS.ErrnoException[] }) => {
      const code = error.errors?.at(-1)?.code ?? error.code ?? '';
      const known = TCP_BY_CODE[code];
      if (known) return settle(known);
      const path = `probe ${address.host}:${address.port}`;
      reject(new GapSignal({ reason: 'unreachable', detail: `${address.host}: ${code || error.message}`, path }));
    });
  });
}

const TCP_BY_CODE: Readonly<Record<string, ProbeAnswer['tcp']>> = {
  ECONNREFUSED: 'refused',
  ECONNRESET: 'refused',
  ETIMEDOUT: 'timeout',
  ENOTFOUND: 'unresolved',
  EHOSTUNREACH: 'unroutable',
  ENETUNREACH: 'unroutable',
  EHOSTDOWN: 'unroutable',
};

/** A TLS greeting; undefined where it is not answered in TLS. An alert is an answer. */
function greetTls(
  { host, port }: Address,
  timeout: number,
  stop: AbortSignal,
): Promise<{ readonly certificate: ProbeAnswer['certificate'] } | undefined> {
  return new Promise(resolve => {
    const socket = endingWith(
      stop,
      connectTls({
        host,
        port,
        timeout,
        // It is looked at, not relied upon: nothing is sent over this connection.
        rejectUnauthorized: false,
        ALPNProtocols: ['h2', 'http/1.1'],
        ...(isIP(host) ? {} : { servername: host }),
      }),
    );
    const settle = (answer: { readonly certificate: ProbeAnswer['certificate'] } | undefined) => {
      socket.destroy();
      resolve(answer);
    };
    socket.on('secureConnect', () => settle({ certificate: certificateOf(socket.getPeerCertificate()) }));
    socket.on('timeout', () => settle(undefined));
    socket.on('error', (error: NodeJS.ErrnoException) =>
      settle(/alert/i.test(`${error.code} ${error.message}`) ? { certificate: null } : undefined),
    );
  });
}

function certificateOf(peer: PeerCertificate | undefined): ProbeAnswer['certificate'] {
  if (!peer?.valid_from) return null;
  const alternative = (peer.subjectaltname ?? '')
    .split(', ')
    .map(name => /^(?:DNS|IP Address):(.+)$/.exec(name)?.[1])
    .filter(name => name !== undefined);
  const common = [peer.subject?.CN ?? []].flat();
  return {
    notBefore: new Date(peer.valid_from).toISOString(),
    notAfter: new Date(peer.valid_to).toISOString(),
    names: [...new Set([...alternative, ...common])],
    issuer: [peer.issuer?.CN ?? peer.issuer?.O ?? ''].flat().join(', '),
  };
}

/** The first bytes that come back; empty where none do. */
function firstBytes(address: Address, greeting: Buffer, timeout: number, stop: AbortSignal): Promise<Buffer> {
  return new Promise(resolve => {
    const socket = endingWith(stop, connect({ ...address, timeout }));
    const parts: Buffer[] = [];
    const settle = () => {
      socket.destroy();
      resolve(Buffer.concat(parts));
    };
    socket.on('connect', () => socket.write(greeting));
    socket.on('data', data => {
      parts.push(data);
      if (Buffer.concat(parts).length >= 9) settle();
    });
    for (const event of ['timeout', 'error', 'close']) socket.on(event, settle);
  });
}

/** The SETTINGS frame with which an HTTP/2 server begins: three bytes of length, type 4, stream 0. */
function isSettings(bytes: Buffer): boolean {
  return (
    bytes.length >= 9 &&
    bytes[3] === 4 &&
    (bytes.readUInt32BE(5) & 0x7fffffff) === 0 &&
    bytes.readUIntBE(0, 3) % 6 === 0
  );
}
