import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createRedactor, type InlineConfiguration, type SharedParts } from '../../src/clusters/redact.ts';

const redactor = createRedactor(() => 'hmac:F');
const R = 'redacted:hmac:F';

describe('free text', () => {
  it('takes out what a URL or base64 has hidden', () => {
    const secret = 'wJalrXUtnFEMIbK7MDENGbPxRfiCYSEQUENCEKEYq';
    const base64 = (text: string) => Buffer.from(text).toString('base64');
    const whole = `type: S3\nconfig:\n  secret_key: ${secret}\n`;
    for (const hidden of [
      `POST /x?body=secret_key%3D${secret}&y=1`,
      `secret_key%3A%20${secret}%0A`,
      `%22secret_key%22%3A%22${secret}%22`,
      `Authorization%3A%20Bearer%20${secret}`,
      `{"requestObject":{"data":{"objstore.yml":"${base64(whole)}"}}}`,
      `{"requestObject":{"data":{"objstore.yml":"${base64(`x${whole}`)}"}}}`,
      `{"objstore.yml":"${base64(base64(whole))}"}`,
      `{"objstore.yml":"${base64(`xx${base64(`x${whole}`)}`)}"}`,
    ]) {
      const shown = redactor.text(hidden);
      expect(shown).toContain('redacted:hmac:');
      expect(shown).not.toContain(secret);
      expect(shown).not.toContain(base64(whole).slice(40, 60));
      expect(shown.length).toBeLessThan(110);
    }
  });

  const token = `eyJ${'a'.repeat(12)}.eyJ${'b'.repeat(12)}.${'c'.repeat(12)}`;
  const key = (label: string) => `-----${label} RSA PRIVATE ${'KEY-----'}`;
  it.each([
    ['AWS_SECRET_ACCESS_KEY=abc123', `AWS_SECRET_ACCESS_KEY=${R}`],
    ['level=info password=abc msg="x y"', `level=info password=${R} msg="x y"`],
    ['{"password":"a\\"b","x":1}', `{"password":"${R}","x":1}`],
    ['{"flags":"type: S3\\n  secret_key: x/y+z=\\n"}', `{"flags":"type: S3\\n  secret_key: ${R}\\n"}`],
    ['a \\"secret_key\\": \\"xyz\\" b', `a \\"secret_key\\": \\"${R}\\" b`],
    ['{access_key: a, secret_key: b}', `{access_key: ${R}, secret_key: ${R}}`],
    ['password: two words', `password: ${R}`],
    ['  secret_key: "a b"\n  region: x', `  secret_key: "${R}"\n  region: x`],
    ['secret_key: |\n    foo\n    bar\nnext: 1', `secret_key: ${R}\nnext: 1`],
    ['--secret-key "p q" --x', `--secret-key ${R} --x`],
    ['https://user:pa55@host/x', `https://user:${R}@host/x`],
    ['postgres://u:p@ss@h/db', `postgres://u:${R}@h/db`],
    ['Authorization: Bearer abcdefghij0123456789ABC', `Authorization: Bearer ${R}`],
    ['Basic dXNlcjpwYXNz', `Basic ${R}`],
    [`seen ${token} here`, `seen ${R} here`],
    [`id AKIA${'IOSFODNN7EXAMPLE'} used`, `id ${R} used`],
    ['https://s3/x?X-Amz-Signature=abcdef&y=1', `https://s3/x?X-Amz-Signature=${R}&y=1`],
    ['token=AbCdEf0123456789xyzQ', `token=${R}`],
    [`${key('BEGIN')}\nabc\n${key('END')}\nok`, `${R}\nok`],
    ['https://hooks.slack.com/services/T0/B0/xyz', `https://hooks.slack.com/services/${R}`],
  ])('%s', (text, expected) => {
    expect(redactor.text(text)).toBe(expected);
    expect(redactor.text(expected)).toBe(expected);
  });

  it.each([
    'secret "thanos-objstore" not found',
    'failed to fetch token: Post "https://10.0.0.1:443/api/v1/token": connection refused',
    'bearer_token_file: /var/run/secrets/kubernetes.io/serviceaccount/token',
    'password: <secret>',
    'kube_secret_info{secret="monitoring-grafana-token-abcde"} 1',
    'InvalidAccessKeyId: The Access Key Id you provided does not exist in our records.',
    'pq: password authentication failed for user "x"',
    'Basic authentication is required; bearer authentication too',
    '--objstore.config=$(OBJSTORE_CONFIG)',
    'authority=https://thanos@example',
    'env AWS_SECRET_ACCESS_KEY=$(FROM_SECRET)',
  ])('leaves alone: %s', text => expect(redactor.text(text)).toBe(text));

  it('takes out what it has learned, wherever it stands', async () => {
    const own = createRedactor(() => 'hmac:F');
    own.learn('minio');
    own.learn('Sup3rS3cret');
    expect(own.text('minio said Sup3rS3cret')).toBe(`minio said ${R}`);
    async function* line() {
      yield Buffer.from('1 signed with Sup3rS3cret\n');
    }
    for await (const chunk of own.lines(line())) expect(Buffer.from(chunk).toString()).toBe(`1 signed with ${R}\n`);
  });

  it('keeps JSON valid', () => {
    const body = '{\n  "password": "abc",\n  "api_key": 12345678,\n  "secret_key": ["a"]\n}';
    const cleaned = redactor.body(body);
    expect(JSON.parse(cleaned)).toMatchObject({ password: R, api_key: R });
    expect(cleaned).not.toContain('abc');
  });

  it('takes private keys out of a stream, and is fast where there is nothing', async () => {
    const log = `1 a\n2 ${key('BEGIN')}\n3 MIIabc\n4 def\n5 ${key('END')}\n6 b\n`;
    const bytes = Buffer.from(log);
    async function* pieces() {
      for (let start = 0; start < bytes.length; start += 7) yield bytes.subarray(start, start + 7);
    }
    let text = '';
    for await (const chunk of redactor.lines(pieces())) text += Buffer.from(chunk).toString();
    expect(text).not.toMatch(/MIIabc|def/);
    expect(text).toMatch(/^1 a\n2 redacted/);
    expect(text).toMatch(/6 b\n$/);
    const line = '2026-11-23T08:00:00Z ts=2026 caller=main.go:145 level=info msg="compact blocks" duration=1.2s\n';
    const large = line.repeat(100_000);
    redactor.text(large);
    const started = performance.now();
    redactor.text(large);
    expect(performance.now() - started).toBeLessThan(1000);
  });

  it('does not slow down on text made to be slow', () => {
    for (const text of [
      '-'.repeat(50_000),
      'password'.repeat(5000),
      'a-'.repeat(50_000) + 'password=',
      '://'.repeat(20_000) + 'x:y@',
      `secretKey: ${' '.repeat(50_000)}`,
    ]) {
      const started = performance.now();
      redactor.text(`password=x ${text}`);
      expect(performance.now() - started).toBeLessThan(1500);
    }
  });
});

describe('objects', () => {
  it('redacts environment, arguments and fields by their names', () => {
    const pod = {
      metadata: {
        annotations: { 'kubectl.kubernetes.io/last-applied-configuration': '{}', note: 'password=x' },
        deletionTimestamp: null,
      },
      spec: {
        containers: [
          {
            name: 'c',
            args: [
              '--web.password=abc',
              '--token',
              'tok-1',
              '--secret-file=/etc/x',
              '--log.level=info',
              '--api-key=$(KEY)',
              'plain',
            ],
            command: ['sh', '-c', 'run --client-secret=xyz'],
            env: [
              { name: 'GF_SECURITY_ADMIN_PASSWORD', value: 'prom-operator' },
              { name: 'TOKEN', value: 'abc' },
              { name: 'TOKEN_PATH', value: 'abc' },
              { name: 'SECRET_NAME', value: 'thanos' },
              { name: 'AUTH', value: 'true' },
              { name: 'FROM', valueFrom: { secretKeyRef: { name: 's', key: 'password' } } },
            ],
          },
        ],
        additionalArgs: [
          { name: 'remote-write.bearer-token', value: 'abc' },
          { name: 'log.level', value: 'info' },
        ],
        bearerToken: 'abc',
      },
      webhooks: [{ clientConfig: { caBundle: 'QUJD' } }],
    };
    redactor.object(pod, true);
    expect(pod).toEqual({
      metadata: {
        annotations: { 'kubectl.kubernetes.io/last-applied-configuration': 'present', note: `password=${R}` },
      },
      spec: {
        containers: [
          {
            name: 'c',
            args: [
              `--web.password=${R}`,
              '--token',
              R,
              '--secret-file=/etc/x',
              '--log.level=info',
              '--api-key=$(KEY)',
              'plain',
            ],
            command: ['sh', '-c', `run --client-secret=${R}`],
            env: [
              { name: 'GF_SECURITY_ADMIN_PASSWORD', value: R },
              { name: 'TOKEN', value: R },
              { name: 'TOKEN_PATH', value: 'abc' },
              { name: 'SECRET_NAME', value: 'thanos' },
              { name: 'AUTH', value: 'true' },
              { name: 'FROM', valueFrom: { secretKeyRef: { name: 's', key: 'password' } } },
            ],
          },
        ],
        additionalArgs: [
          { name: 'remote-write.bearer-token', value: R },
          { name: 'log.level', value: 'info' },
        ],
        bearerToken: R,
      },
      webhooks: [{ clientConfig: { caBundle: 'c2V0' } }],
    });
  });

  it('hands on what configures a store, and leaves a fingerprint', () => {
    const store = 'type: S3\nconfig:\n  bucket: b\n  secret_key: abc\n';
    const seen: InlineConfiguration[] = [];
    const object = {
      spec: {
        containers: [
          { name: 'a', args: ['--objstore.config', store] },
          { name: 'b', args: ['--objstore.config=$(CONFIG)'], env: [{ name: 'CONFIG', value: store }] },
        ],
      },
    };
    redactor.object(object, false, inline => seen.push(inline));
    expect(seen).toEqual([
      { container: 'a', text: store },
      { container: 'b', text: store },
    ]);
    expect(JSON.stringify(object)).not.toContain('abc');
    expect(object.spec.containers[0]?.args).toEqual(['--objstore.config', R]);
  });

  it('goes through what several objects share once, and tells of it each time', () => {
    const store = 'type: S3\nconfig: {bucket: b, access_key: abc}';
    const container = { name: 'a', args: ['--objstore.config', store] };
    const shared: SharedParts = new Map([[container, undefined]]);
    const seen: string[] = [];
    for (const name of ['first', 'second']) {
      const pod = { metadata: { name }, spec: { containers: [container] } };
      redactor.object(pod, true, inline => seen.push(`${name} ${inline.container} ${inline.text}`), shared);
      expect(pod.spec.containers[0]?.args).toEqual(['--objstore.config', R]);
    }
    expect(seen).toEqual([`first a ${store}`, `second a ${store}`]);
  });

  it('takes nothing out of a plain text, which it does not search', () => {
    const encoded = ['secret_key', 'password', 'xpassword', 'xxsecret_key: a'].flatMap(text => {
      const once = Buffer.from(text).toString('base64url');
      return [once, once.toLowerCase(), Buffer.from(once).toString('base64url')];
    });
    const pieces = fc.constantFrom(...'abcxyzABCEKIJLST0189_.-:+', 'eyJabcdefgh', 'AKIAABCDEFGHIJKLMNOP', ...encoded);
    const plain = fc.array(pieces, { maxLength: 40 }).map(parts => parts.join(''));
    fc.assert(
      fc.property(plain, text => {
        // With these around it, it is no plain text.
        expect(redactor.text(`§${text}§`)).toBe(`§${redactor.text(text)}§`);
      }),
      { numRuns: 5000 },
    );
  });

  it('takes what it has learned out of plain texts, too', () => {
    const learning = createRedactor(() => 'hmac:F');
    expect(learning.text('user-hunter2hunter')).toBe('user-hunter2hunter');
    learning.learn('hunter2hunter');
    expect(learning.text('user-hunter2hunter')).toBe(`user-${R}`);
  });

  it('empties ConfigMaps, but for those that are kept, whose secure fields go', () => {
    const emptied = { data: { a: 'x', b: 'y' }, binaryData: { c: 'eA==' } };
    redactor.configMap(emptied, false);
    expect(emptied).toEqual({ data: { a: '', b: '' }, binaryData: { c: '' } });
    const datasources = {
      data: {
        'a.yaml':
          'datasources:\n- name: Thanos\n  url: http://thanos-query:9090\n  secureJsonData:\n    httpHeaderValue1: Bearer x\n    any: thing\n  basicAuthPassword: abc\n  access: proxy\n',
        'b.json': '{"secureJsonData": {"any":"thing"}, "url":"http://x"}',
      },
    };
    redactor.configMap(datasources, true);
    expect(datasources.data['a.yaml']).toBe(
      `datasources:\n- name: Thanos\n  url: http://thanos-query:9090\n  secureJsonData:\n    httpHeaderValue1: ${R}\n    any: ${R}\n  basicAuthPassword: ${R}\n  access: proxy\n`,
    );
    expect(datasources.data['b.json']).toBe(`{"secureJsonData": {"any":"${R}"}, "url":"http://x"}`);
  });
});
