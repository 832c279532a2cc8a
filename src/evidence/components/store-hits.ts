/** Codes of S3 for what the client prints: the words are printed, the code never is. */
const CODES: Readonly<Record<string, string>> = {
  's3-invalid-access-key': 'InvalidAccessKeyId',
  's3-account-disabled': 'InvalidAccessKeyId',
  's3-signature-mismatch': 'SignatureDoesNotMatch',
  's3-access-denied': 'AccessDenied',
  's3-write-denied': 'AccessDenied',
  's3-no-such-bucket': 'NoSuchBucket',
  's3-region': 'AuthorizationHeaderMalformed',
  's3-not-initialised': 'XMinioServerNotInitialized',
};

/** S3's own code for what a signature says that the store answered; '' for all that no store has said. */
export function codeOf(signature: string): string {
  return CODES[signature] ?? '';
}

const ONLY_OVER_TLS: ReadonlySet<string> = new Set([
  's3-http-response-to-https-client',
  's3-tls-not-tls',
  's3-x509-unknown-ca',
  's3-x509-hostname',
  's3-x509-expired',
]);
const ONLY_WITHOUT_TLS: ReadonlySet<string> = new Set(['s3-http-request-to-https-server']);

interface Line {
  readonly id: string;
  readonly captured: Readonly<Record<string, string>>;
}

/**
 * Whether a line can be about an endpoint as it is configured now: a process that still runs with an earlier
 * configuration, or a connection to something else, prints another host or another scheme.
 */
export function concernsEndpoint(line: Line, endpoint: { readonly host: string; readonly insecure: boolean }): boolean {
  if (ONLY_OVER_TLS.has(line.id) && endpoint.insecure) return false;
  if (ONLY_WITHOUT_TLS.has(line.id) && !endpoint.insecure) return false;
  const host = (line.captured.host ?? '')
    .toLowerCase()
    .replace(/:[0-9]+$/, '')
    .replace(/\.$/, '');
  if (host === '' || endpoint.host === '') return true;
  // Buckets may stand in front of the host, and a resolver may add its search list behind it.
  return host === endpoint.host || host.endsWith(`.${endpoint.host}`) || host.startsWith(`${endpoint.host}.`);
}

/** What was tried when the store refused, in the order of precedence: the words before the refusal say it. */
const VERBS: readonly (readonly [string, RegExp])[] = [
  ['Put', /upload s3 object|upload chunks|upload index|upload meta/],
  ['Delete', /delet|clean block|cleaning marked/],
  ['Get', /get meta file|get object|get_range|get range|download/],
  ['Head', /stat s3 object|check exists|meta\.json file exists|object attributes/],
  ['List', /iter bucket|listing|list-type=2|location=/],
];

/** `Put`, `Delete`, `Get`, `Head`, `List`, or '' where the line does not say. */
export function verbOf(line: string): string {
  // A failed upload that could not be cleaned up names both: what the line ends with was refused last.
  if (/failed to clean block after upload issue/.test(line)) return 'Delete';
  return VERBS.find(([, words]) => words.test(line))?.[0] ?? '';
}
