import { describe, expect, test } from 'vitest';
import * as faults from './object-store.ts';
import { HOST, SECRET, type StoreFault, shortLogs, storeFails } from './object-store.ts';
import { diagnosed, type Expected, expectRoots, type Fault } from './recorded-world.ts';

const BUCKET = `Bucket thanos-bucket@${HOST}:80`;
const AT = (port: number) => `Endpoint ${HOST}:${port}`;

/** Fault, rule and subject of its root. Those whose last is true can be told without the store's own answer. */
const ROWS: readonly (readonly [name: string, fault: StoreFault, rule: string, subject: string])[] = [
  ['HTTPS to a port that refuses', faults.REFUSED_BY_HTTPS, 'object-store-speaks-http', SECRET],
  ['HTTPS to a port that speaks HTTP', faults.HTTP_TO_HTTPS, 'object-store-speaks-http', SECRET],
  ['key unknown', faults.KEY_UNKNOWN, 'object-store-key-unknown', SECRET],
  ['account disabled', faults.ACCOUNT_DISABLED, 'object-store-key-unknown', SECRET],
  ['secret key wrong', faults.SECRET_WRONG, 'object-store-secret-wrong', SECRET],
  ['credentials left out', faults.CREDENTIALS_ABSENT, 'object-store-credentials-absent', SECRET],
  ['credentials empty', faults.CREDENTIALS_EMPTY, 'object-store-credentials-absent', SECRET],
  ['account lacks a right', faults.ACCESS_DENIED, 'object-store-access-denied', BUCKET],
  ['bucket missing', faults.BUCKET_MISSING, 'object-store-bucket-missing', BUCKET],
  ['store refuses connections', faults.STORE_REFUSES, 'object-store-unreachable', AT(80)],
  ['store does not answer', faults.STORE_SILENT, 'object-store-unreachable', AT(80)],
  ['no route to the store', faults.STORE_UNROUTED, 'object-store-unreachable', AT(80)],
  ['name not resolved', faults.NAME_UNRESOLVED, 'object-store-name-unresolved', AT(80)],
  ['HTTP to a port that speaks TLS', faults.SPEAKS_TLS, 'object-store-speaks-tls', SECRET],
  ['something else answers', faults.NOT_S3, 'object-store-endpoint-wrong', SECRET],
  ['certificate expired', faults.CERTIFICATE_EXPIRED, 'object-store-certificate-expired', AT(443)],
  ['certificate untrusted', faults.CERTIFICATE_UNTRUSTED, 'object-store-certificate-untrusted', SECRET],
  ['certificate for another', faults.CERTIFICATE_OF_ANOTHER, 'object-store-certificate-name-mismatch', AT(443)],
  ['clocks apart', faults.CLOCK_WRONG, 'object-store-clock-skew', AT(80)],
];

const PLACES = [
  { place: 'hub', cluster: 'cluster-01', base: 'bucket-missing' },
  { place: 'edge', cluster: 'cluster-02', base: 'key-unknown' },
];

const ONLY_HUB = ['pod-crash-loops', 'query-endpoint-down', 'service-has-no-ready-endpoints'];

describe.each(PLACES)('object store, in the $place', ({ place, cluster, base }) => {
  const symptoms = place === 'hub' ? ONLY_HUB : [];
  const expected = (rule: string, subject: string): Expected => ({ roots: [{ rule, cluster, subject }], symptoms });

  test.each(ROWS)('%s', async (_, fault, rule, subject) => {
    expectRoots(await diagnosed(base, storeFails(cluster, fault)), expected(rule, subject));
  });

  test.each(ROWS)('%s, and nobody asked the store', async (_, { answer, probe, ...fault }, rule, subject) => {
    expectRoots(await diagnosed(base, storeFails(cluster, fault)), expected(rule, subject));
  });

  test.each(ROWS)('%s, with few lines of each log', async (_, fault, rule, subject) => {
    const cut: Fault = { [cluster]: shortLogs(3) };
    expectRoots(await diagnosed(base, storeFails(cluster, fault), cut), expected(rule, subject));
  });
});

describe('object store, in both clusters', () => {
  test.each(ROWS)('%s', async (name, fault, rule, subject) => {
    const report = await diagnosed(
      { 'cluster-01': 'bucket-missing', 'cluster-02': 'key-unknown' },
      storeFails('cluster-01', fault),
      storeFails('cluster-02', fault),
    );
    const roots = ['cluster-01', 'cluster-02'].map(cluster =>
      // Nothing is known to speak HTTP there: that the port refuses is all.
      name === 'HTTPS to a port that refuses'
        ? { rule: 'object-store-unreachable', cluster, subject: AT(443) }
        : { rule, cluster, subject },
    );
    expectRoots(report, { roots, symptoms: ONLY_HUB });
  });
});

describe('object store named by a Service that is not there', () => {
  test.each(PLACES)('in the $place', async ({ cluster, base }) => {
    const report = await diagnosed(base, storeFails(cluster, faults.SERVICE_NAME_MISSING));
    expectRoots(report, {
      roots: [{ rule: 'dns-name-missing', cluster, subject: 'Endpoint minio.storage.svc.cluster.local' }],
      symptoms: ['object-store-name-unresolved'],
    });
  });
});

test('the recordings themselves are found as they were', async () => {
  const report = await diagnosed('healthy-fleet');
  expect(report.findings.filter(finding => finding.severity !== 'info')).toEqual([]);
});
