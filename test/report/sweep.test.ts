import { describe, expect, it } from 'vitest';
import { FORMATS } from '../../src/report/formats.ts';
import { sweep, sweepText } from '../../src/report/sweep.ts';
import { FILE, findingOf, hostileReport, logLine, reportOf, THREE_ROOTS } from './samples.ts';

// Made up for this test, in the forms that real ones have.
const CANARIES: readonly (readonly [string, string])[] = [
  ['AKIAQQQQWWWWEEEERRRR', 'using key AKIAQQQQWWWWEEEERRRR here'],
  ['wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEYZZ', 'AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEYZZ'],
  ['s3cr3tValue11', 'config: {access_key: k, secret_key: s3cr3tValue11}'],
  ['s3cr3tValue12', 'secret_key: "s3cr3tValue12"'],
  ['s3cr3tValue13', '{"secretKey":"s3cr3tValue13","a":1}'],
  ['s3cr3tValue14', 'msg="{\\"password\\":\\"s3cr3tValue14\\"}"'],
  ['s3cr3tValue15', "password='s3cr3tValue15'"],
  ['two words 16', 'password: "two words 16"'],
  ['s3cr3tValue17', 'https://user:s3cr3tValue17@host/path'],
  ['s3cr3tToken18', 'https://s3cr3tToken18@host/path'],
  ['abcdefghijklmnop0123456789', 'Authorization: Bearer abcdefghijklmnop0123456789'],
  ['dXNlcjpwYXNzd29yZA==', 'authorization=Basic dXNlcjpwYXNzd29yZA=='],
  ['Zm9vYmFyQmF6MTIz', 'sent bearer Zm9vYmFyQmF6MTIz to it'],
  ['eyJhbGciOiJIUzI1NiJ9', 'jwt eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJlMTIz end'],
  ['MIIEpAIBAAKCAQEA', '-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA\n-----END RSA PRIVATE KEY-----'],
  ['MIIEpAIBAAKCAQEB', '"-----BEGIN PRIVATE KEY-----\\nMIIEpAIBAAKCAQEB\\n-----END PRIVATE KEY-----\\n"'],
  ['MIIEpAIBAAKCAQEC', 'cut: -----BEGIN EC PRIVATE KEY-----\nMIIEpAIBAAKCAQEC'],
  ['LS0tLS1CRUdJTiBSU0EgUFJJVkFURSBLRVkt', 'client-key-data: LS0tLS1CRUdJTiBSU0EgUFJJVkFURSBLRVktLS0tLQo='],
  ['0123456789abcdef0123456789abcdef', 'X-Amz-Signature=0123456789abcdef0123456789abcdef&x=1'],
  ['ghp_abcdefghijklmnopqrstuvwxyz0123', 'ghp_abcdefghijklmnopqrstuvwxyz0123'],
  ['sessionvalue1', 'Cookie: sessionvalue1'],
];

describe('sweepText', () => {
  it.each(CANARIES)('takes out %s', (secret, text) => {
    const swept = sweepText(text);
    expect(swept).not.toContain(secret);
    expect(swept).toContain('[redacted]');
    expect(sweepText(swept)).toBe(swept);
  });

  it.each([
    'secrets "objstore" is forbidden: User "viewer" cannot get resource "secrets" in API group "" in the namespace "metrics"',
    'Secret metrics/thanos-s3-config, key objstore.yml',
    'password: <yours>, secret_key: hmac:3f9a, token: ${TOKEN}, access_key: missing',
    'automountServiceAccountToken: false, tokenExpirationSeconds: 3600',
    'basic authentication failed; bearer authentication is off',
    'The Access Key Id you provided does not exist in our records.',
    'mc alias set ALIAS http://minio:9000 ACCESS_KEY SECRET_KEY',
    'Bucket thanos@minio.lab:9000',
    'kubectl get secret objstore -o name',
    'bearer_token_file: /var/run/secrets/kubernetes.io/serviceaccount/token',
    'The request signature we calculated does not match the signature you provided.',
    '{"tokens": 4, "monkey": "business"}',
  ])('leaves %j', text => {
    expect(sweepText(text)).toBe(text);
  });

  it('finds what control characters were to hide', () => {
    expect(sweepText('pass\u001b[0mword=hunter2hunter2')).not.toContain('hunter2');
  });

  it('cuts what is too long before looking at it', () => {
    const started = performance.now();
    expect(sweepText('password='.repeat(1_200_000)).length).toBeLessThan(25_000);
    expect(sweepText(`://${'a'.repeat(10_000_000)}`).length).toBeLessThan(25_000);
    expect(performance.now() - started).toBeLessThan(1500);
  });

  it('is fast on lines that hold nothing', () => {
    const line = 'ts=2026-11-23T08:11:52Z caller=shipper.go:263 level=warn msg="uploading failed" uploaded=0';
    const started = performance.now();
    for (let at = 0; at < 100_000; at += 1) sweepText(line);
    expect(performance.now() - started).toBeLessThan(1500);
  });
});

describe('sweep', () => {
  it('looks at every string, keys too', () => {
    const everywhere = CANARIES.map(([, text]) => text).join('\n');
    const whole = JSON.stringify(sweep(hostileReport(everywhere)));
    for (const [secret] of CANARIES) expect(whole).not.toContain(secret);
  });

  it('knows credentials by the name of a fact', () => {
    const finding = findingOf({
      rule: 'x',
      facts: { config: { secret_key: 'plain', access_key: 'hmac:12', bucket: 'thanos' }, Secret: 'metrics/objstore' },
    });
    const [swept] = sweep(reportOf({ findings: [finding] })).findings;
    expect(swept?.facts).toEqual({
      config: { secret_key: '[redacted]', access_key: 'hmac:12', bucket: 'thanos' },
      Secret: 'metrics/objstore',
    });
  });

  it('changes nothing where there is nothing, and nothing the second time', () => {
    expect(sweep(THREE_ROOTS)).toEqual(THREE_ROOTS);
    const once = sweep(hostileReport('password=hunter2 \u001b[31m'));
    expect(sweep(once)).toEqual(once);
  });

  it('keeps a key named __proto__ a key', () => {
    const facts = JSON.parse('{"__proto__": {"polluted": "yes"}}') as Record<string, string>;
    const [swept] = sweep(reportOf({ findings: [findingOf({ rule: 'x', facts })] })).findings;
    expect(Object.keys(swept?.facts ?? {})).toEqual(['__proto__']);
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  });

  it('is part of every format', () => {
    const finding = findingOf({
      rule: 'x',
      message: 'password=hunter2hunter2',
      evidence: [logLine('err="https://u:hunter2hunter2@host"')],
      fix: { byHand: 'mc alias set a b --secret_key=hunter2hunter2', automatic: '' },
    });
    for (const { format } of FORMATS) expect(format(reportOf({ findings: [finding] }), FILE)).not.toContain('hunter2');
  });
});
