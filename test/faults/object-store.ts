import type { Fault, World } from './recorded-world.ts';

/** What an object store, or the way to it, does wrong, in the words of those who notice it. */
export interface StoreFault {
  /** The error as minio-go gives it, after `check exists: stat s3 object: ` or `iter bucket: `. */
  readonly words: string;
  /** What the request from where the recording was made was answered; left out where nobody looked. */
  readonly answer?: { readonly status: number; readonly reason: string; readonly message: string };
  /** Other settings of the configuration. */
  readonly config?: Readonly<Record<string, unknown>>;
  readonly probe?: Readonly<Record<string, unknown>>;
}

export const SECRET = 'Secret monitoring/thanos-s3-config';
export const HOST = 's3.minio.miribit.lab';
const RECORDED = {
  'The specified bucket does not exist': 'bucket-missing',
  'The Access Key Id you provided does not exist in our records.': 'key-unknown',
};

function setConfig(world: World, { config = {}, probe, answer }: StoreFault): void {
  let endpoint = '';
  world.yaml('stores.yaml', stores => {
    for (const store of stores as never as { config: { config: Record<string, unknown> } }[]) {
      Object.assign(store.config.config, { bucket: 'thanos-bucket' }, config);
      for (const [name, value] of Object.entries(config)) if (value === undefined) delete store.config.config[name];
      endpoint = String(store.config.config.endpoint);
    }
  });
  if (probe) {
    const bare = !/:[0-9]+$/.test(endpoint);
    const port = config.insecure === false ? 443 : 80;
    world.yaml(
      'probes.yaml',
      probes =>
        [
          ...(probes as never as { endpoint: string }[]).filter(row => !row.endpoint.startsWith(HOST)),
          { endpoint: bare ? `${endpoint}:${port}` : endpoint, from: 'here', for: ['object-store'], ...probe },
        ] as never,
    );
  }
  world.yaml('failures.yaml', failures => {
    const rows = (failures as never as { path: string }[]).filter(row => !row.path.startsWith('s3://'));
    const refused = { path: 's3://thanos-bucket', store: 'monitoring/thanos-s3-config/objstore.yml', ...answer };
    return (answer ? [...rows, refused] : rows) as never;
  });
  if (!answer) world.remove('buckets/index.yaml');
}

/**
 * The fault in a cluster whose recording has another fault of the store: the same processes fail at the same moments,
 * in other words.
 */
export function storeFails(cluster: string, fault: StoreFault): Fault {
  return {
    [cluster](world) {
      setConfig(world, fault);
      const escaped = fault.words.replaceAll('"', '\\"');
      for (const words of Object.keys(RECORDED)) world.replace(/^logs\//, words, escaped);
    },
  };
}

/** Only the last lines of each log were kept. */
export function shortLogs(lines: number): (world: World) => void {
  return world => {
    for (const path of world.paths()) {
      if (!path.startsWith('logs/')) continue;
      const kept = world.text(path).trimEnd().split('\n').slice(-lines);
      world.write(path, `${kept.join('\n')}\n`);
    }
  };
}

export const REFUSED_BY_HTTPS: StoreFault = {
  words: `Get "https://${HOST}/thanos-bucket/?location=": dial tcp 192.168.101.9:443: connect: connection refused`,
  answer: { status: 0, reason: 'refused', message: 'connect ECONNREFUSED 192.168.101.9:443' },
  config: { endpoint: HOST, insecure: false },
  probe: { tcp: 'refused' },
};

export const HTTP_TO_HTTPS: StoreFault = {
  words: `Get "https://${HOST}:80/thanos-bucket/?location=": http: server gave HTTP response to HTTPS client`,
  answer: { status: 0, reason: 'tls', message: 'write EPROTO: wrong version number' },
  config: { insecure: false },
};

export const KEY_UNKNOWN: StoreFault = {
  words: 'The Access Key Id you provided does not exist in our records.',
  answer: {
    status: 403,
    reason: 'InvalidAccessKeyId',
    message: 'The Access Key Id you provided does not exist in our records.',
  },
};

export const ACCOUNT_DISABLED: StoreFault = {
  words: 'Your account is disabled; please contact your administrator.',
  answer: {
    status: 403,
    reason: 'XMinioAccountDisabled',
    message: 'Your account is disabled; please contact your administrator.',
  },
};

export const SECRET_WRONG: StoreFault = {
  words:
    'The request signature we calculated does not match the signature you provided. Check your key and signing method.',
  answer: {
    status: 403,
    reason: 'SignatureDoesNotMatch',
    message:
      'The request signature we calculated does not match the signature you provided. Check your key and signing method.',
  },
};

export const CREDENTIALS_ABSENT: StoreFault = {
  words: 'Access Denied.',
  answer: { status: 403, reason: 'AccessDenied', message: 'Access Denied.' },
  config: { access_key: undefined, secret_key: undefined },
};

export const CREDENTIALS_EMPTY: StoreFault = {
  ...CREDENTIALS_ABSENT,
  config: { access_key: { set: false }, secret_key: { set: false } },
};

export const ACCESS_DENIED: StoreFault = {
  words: 'Access Denied.',
  answer: { status: 403, reason: 'AccessDenied', message: 'Access Denied.' },
};

export const BUCKET_MISSING: StoreFault = {
  words: 'The specified bucket does not exist',
  answer: { status: 404, reason: 'NoSuchBucket', message: 'The specified bucket does not exist' },
};

export const STORE_REFUSES: StoreFault = {
  words: `Get "http://${HOST}/thanos-bucket/?location=": dial tcp 192.168.101.9:80: connect: connection refused`,
  answer: { status: 0, reason: 'refused', message: 'connect ECONNREFUSED 192.168.101.9:80' },
  probe: { tcp: 'refused' },
};

export const STORE_SILENT: StoreFault = {
  words: `Get "http://${HOST}/thanos-bucket/?location=": dial tcp 192.168.101.9:80: i/o timeout`,
  answer: { status: 0, reason: 'timeout', message: 'connect ETIMEDOUT 192.168.101.9:80' },
  probe: { tcp: 'timeout' },
};

export const STORE_UNROUTED: StoreFault = {
  words: `Get "http://${HOST}/thanos-bucket/?location=": dial tcp 192.168.101.9:80: connect: no route to host`,
  answer: { status: 0, reason: 'unreachable', message: 'connect EHOSTUNREACH 192.168.101.9:80' },
  probe: { tcp: 'unroutable' },
};

export const NAME_UNRESOLVED: StoreFault = {
  words: `Get "http://${HOST}/thanos-bucket/?location=": dial tcp: lookup ${HOST} on 10.96.0.10:53: no such host`,
  answer: { status: 0, reason: 'dns', message: `getaddrinfo ENOTFOUND ${HOST}` },
  probe: { tcp: 'unresolved' },
};

const INSIDE = 'minio.storage.svc.cluster.local';

export const SERVICE_NAME_MISSING: StoreFault = {
  words: `Get "http://${INSIDE}:9000/thanos-bucket/?location=": dial tcp: lookup ${INSIDE} on 10.96.0.10:53: no such host`,
  config: { endpoint: `${INSIDE}:9000` },
};

export const SPEAKS_TLS: StoreFault = {
  words: 'Client sent an HTTP request to an HTTPS server.',
  answer: { status: 400, reason: 'NotAnS3Answer', message: 'Client sent an HTTP request to an HTTPS server.' },
  config: { endpoint: `${HOST}:443`, insecure: true },
  probe: { tcp: 'open', speaks: 'tls' },
};

export const NOT_S3: StoreFault = {
  words: 'The specified bucket does not exist.',
  answer: { status: 404, reason: 'NotAnS3Answer', message: '404 page not found' },
  config: { endpoint: `${HOST}:9001` },
  probe: { tcp: 'open', speaks: 'http' },
};

export const CLOCK_WRONG: StoreFault = {
  words: "The difference between the request time and the server's time is too large.",
  answer: {
    status: 403,
    reason: 'RequestTimeTooSkewed',
    message: "The difference between the request time and the server's time is too large.",
  },
};

const HTTPS: StoreFault['config'] = { endpoint: `${HOST}:443`, insecure: false };
const ASKED = `Get "https://${HOST}:443/thanos-bucket/?location="`;

export const CERTIFICATE_EXPIRED: StoreFault = {
  words: `${ASKED}: tls: failed to verify certificate: x509: certificate has expired or is not yet valid: current time 2026-11-23T17:43:00Z is after 2026-11-01T00:00:00Z`,
  answer: { status: 0, reason: 'tls', message: 'certificate has expired' },
  config: HTTPS,
};

export const CERTIFICATE_UNTRUSTED: StoreFault = {
  words: `${ASKED}: tls: failed to verify certificate: x509: certificate signed by unknown authority`,
  answer: { status: 0, reason: 'tls', message: 'unable to verify the first certificate' },
  config: HTTPS,
};

export const CERTIFICATE_OF_ANOTHER: StoreFault = {
  words: `${ASKED}: tls: failed to verify certificate: x509: certificate is valid for minio.local, not ${HOST}`,
  answer: {
    status: 0,
    reason: 'tls',
    message: `Hostname/IP does not match certificate's altnames: Host: ${HOST}. is not in the cert's altnames: DNS:minio.local`,
  },
  config: HTTPS,
};
