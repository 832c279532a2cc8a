const KINDS: readonly (readonly [string, RegExp])[] = [
  // The name server's own refusal or silence comes before those of the target, whose words they share.
  ['unresolved', /no such host|server misbehaving|lookup .*(?:i\/o timeout|connection refused)/],
  [
    'limit',
    /sample limit exceeded|body size limit exceeded|label_limit exceeded|label_name_length_limit exceeded|label_value_length_limit exceeded|bucket limit exceeded|target_limit exceeded/,
  ],
  ['http-401', /server returned HTTP status 401/],
  ['http-403', /server returned HTTP status 403/],
  ['http-404', /server returned HTTP status 40[45]/],
  ['http-5xx', /server returned HTTP status (?:5\d\d|429)/],
  ['http-4xx', /server returned HTTP status 4\d\d/],
  [
    'tls-mismatch',
    /server gave HTTP response to HTTPS client|first record does not look like a TLS handshake|malformed HTTP response|HTTP\/1\.x transport connection broken/,
  ],
  ['certificate', /x509:|tls: failed to verify certificate|remote error: tls:/],
  ['content-type', /received unsupported Content-Type|sending blank Content-Type/],
  ['refused', /connection refused/],
  [
    'timeout',
    /context deadline exceeded|i\/o timeout|Client\.Timeout exceeded|no route to host|network is unreachable/,
  ],
  [
    'parse',
    /expected value after metric|invalid metric name|unexpected end of input|expected a valid start token|no token found|expected label name|expected equal, got/,
  ],
];

/**
 * What Prometheus' words about a failed scrape (`lastError`) say: refused, timeout, unresolved, tls-mismatch,
 * certificate, http-401, http-403, http-404 (and 405), http-4xx, http-5xx (and 429), content-type, limit, parse, other,
 * or '' where there is no error.
 */
export function scrapeErrorKind(error: string): string {
  if (error === '') return '';
  return KINDS.find(([, words]) => words.test(error))?.[0] ?? 'other';
}

/** The name that could not be looked up, in Go's words `lookup NAME on SERVER:53: …`; '' where they hold none. */
export function lookedUpName(error: string): string {
  return /lookup ([^\s:]+)/.exec(error)?.[1] ?? '';
}
