/** Words of a failed connection to a gRPC endpoint, and what they mean; the first that matches wins. */
const KINDS: readonly (readonly [string, RegExp])[] = [
  ['unresolved', /no such host|failed to lookup SRV records|failed to resolve addresses|server misbehaving/],
  ['refused', /connect: connection refused/],
  ['no-route', /no route to host|network is unreachable|host is down/],
  ['certificate', /x509: |bad certificate|certificate required|certificate is not trusted/],
  ['tls-mismatch', /first record does not look like a TLS handshake/],
  ['not-grpc', /frame too large|neither info nor store client found|unknown service thanos/],
  [
    'http-proxy',
    /unexpected content-type|unexpected HTTP status code|upstream connect error|no healthy upstream|HTTP status code [45]/,
  ],
  ['not-ready', /desc = Not ready/],
  ['closed', /error reading server preface|authentication handshake failed|connection reset by peer|remote error: tls/],
  ['timeout', /i\/o timeout|connection timed out/],
  ['silent', /context deadline exceeded/],
];

/**
 * What kept a Query from an endpoint: `unresolved`, `refused`, `no-route`, `certificate`, `tls-mismatch`, `not-grpc`,
 * `http-proxy`, `not-ready`, `closed` (taken and dropped: TLS is wanted, or it is no gRPC), `timeout`, `silent` (the
 * deadline alone: any of them), `other`, or '' for no words.
 */
export function failureKind(words: string): string {
  if (words === '') return '';
  return KINDS.find(([, pattern]) => pattern.test(words))?.[0] ?? 'other';
}

/** The failures in which nothing answered; in all others the other side was reached. */
export const NO_ANSWER: ReadonlySet<string> = new Set(['refused', 'no-route', 'timeout', 'silent']);
