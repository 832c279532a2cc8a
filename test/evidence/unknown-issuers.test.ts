import { describe, expect, it } from 'vitest';
import { collector as certificates } from '../../src/evidence/derived/fleet.certificates.ts';
import { collector as issuers } from '../../src/evidence/derived/network.unknown-issuers.ts';
import { gapOf } from '../../src/evidence/gaps.ts';
import { derive, gap } from './derive.ts';

const WORDS = 'tls: failed to verify certificate: x509: certificate signed by unknown authority';
const client = {
  component: 'query',
  running: true,
  container: 'q',
  containerKey: 'Container m/q-1/q',
  pod: { kind: 'Pod', namespace: 'm', name: 'q-1', key: 'Pod m/q-1' },
  subject: { kind: 'Deployment', namespace: 'm', name: 'q', key: 'Deployment m/q' },
  args: [{ flag: '--grpc-client-tls-ca', value: '/ca.pem' }],
};
const hit = (more: object = {}) => ({ id: 'certificate-unknown-authority', lastAge: 60, sample: WORDS, ...more });

const cluster = (hits: unknown, more: object = {}) => ({
  evidence: {
    'thanos.components': [client],
    'logs.signatures': hits instanceof Error ? hits : { hits },
    'thanos.query-stores': [],
    'prometheus.pools': [],
    'thanos.object-stores': [{ host: 's3.example' }],
    'kubernetes.ingresses': [{ namespace: 'm', name: 'i', hosts: ['grafana.example'] }],
    'kubernetes.services': [
      { namespace: 'm', name: 's', clusterIp: '10.96.0.9' },
      { namespace: 'default', name: 'kubernetes', clusterIp: '10.96.0.1' },
    ],
    'kubernetes.pods': [
      { podIp: '10.0.0.7', workload: { kind: 'Deployment', namespace: 'm', name: 'x', key: 'Deployment m/x' } },
    ],
    'fleet.addresses': [{ address: '192.0.2.7:10901', cluster: 'edge', service: { namespace: 'm', name: 'ext' } }],
    'fleet.reachability': [],
    ...more,
  },
});

const subjects = async (hits: unknown, more: object = {}) =>
  (await derive(issuers, { hub: cluster(hits, more) })).map(row => `${row.subject.key} in ${row.cluster}`);

describe('network.unknown-issuers', () => {
  it('names what shows the certificate', async () => {
    const hosts = {
      'grafana.example': 'Ingress m/i in hub',
      '192.0.2.7:10901': 'Service m/ext in edge',
      's.m.svc:443': 'Service m/s in hub',
    };
    for (const [host, subject] of Object.entries(hosts))
      expect(await subjects([hit({ captured: { host } })])).toEqual([subject]);
    expect(await subjects([hit({ captured: { host: '10.0.0.7:8443' } })])).toEqual(['Deployment m/x in hub']);
    expect(await subjects([hit({ captured: { host: '10.96.0.1:443' } })])).toEqual(['Cluster hub in hub']);
    expect(await subjects([hit({ captured: { host: 'far.example' } })])).toEqual(['Endpoint far.example:443 in hub']);
    const [row] = await derive(issuers, { hub: cluster([hit({ sample: `address=192.0.2.7:10901 err="${WORDS}"` })]) });
    expect(row).toMatchObject({
      client: 'Container m/q-1/q @hub',
      caFile: '/ca.pem',
      keys: ['Endpoint 192.0.2.7:10901', 'Address 192.0.2.7:10901', 'Service m/ext @edge'],
    });
  });

  it('takes the word of Queries, targets and the preflight as well', async () => {
    const entry = {
      'thanos.query-stores': [
        {
          containerKey: 'Container m/q-1/q',
          stores: [
            { address: '192.0.2.7:10901', error: WORDS },
            { address: 'x', error: 'refused' },
          ],
        },
      ],
    };
    expect(await subjects([], entry)).toEqual(['Service m/ext in edge']);
    const pool = {
      'prometheus.pools': [
        { prometheus: { key: 'Deployment m/q' }, down: [{ address: '10.0.0.7:8443', error: WORDS }] },
      ],
    };
    expect(await subjects([], pool)).toEqual(['Deployment m/x in hub']);
    const rebuilt = {
      'fleet.reachability': [
        { name: 'edge', key: 'Cluster edge', words: 'self-signed certificate in certificate chain' },
        { name: 'hub', words: 'ECONNREFUSED' },
      ],
    };
    expect(await subjects([], rebuilt)).toEqual(['Cluster edge in edge']);
  });

  it('leaves object stores, history and lines without a host', async () => {
    const hits = [
      hit({ captured: { host: 's3.example' } }),
      hit({ captured: { host: 'a' }, previous: true }),
      hit({ captured: { host: 'a' }, lastAge: 1000 }),
      hit(),
      hit({ id: 'other' }),
    ];
    expect(await subjects(hits)).toEqual([]);
  });

  it('leaves open what a log says that could not be read', async () => {
    for (const reason of ['unauthenticated', 'forbidden', 'not-found', 'server-error', 'timed-out'] as const) {
      expect(gapOf((await derive(issuers, { hub: cluster(gap(reason)) }))[0])).toMatchObject({ reason });
      expect(
        gapOf((await derive(issuers, { hub: cluster([], { 'thanos.components': gap(reason) }) }))[0]),
      ).toMatchObject({ reason });
    }
  });
});

describe('fleet.certificates', () => {
  const given = (words: string, more: object = {}) => ({
    a: {
      evidence: {
        'fleet.reachability': [{ name: 'a', words }],
        'network.certificates': [{ endpoint: 'e:443' }],
        'thanos.components': [],
        ...more,
      },
    },
  });

  it('is what the cluster shows, or the certificate that keeps it from being read', async () => {
    const own = { cluster: 'a' };
    expect(await derive(certificates, given(''), own)).toMatchObject([{ endpoint: 'e:443' }]);
    expect(await derive(certificates, given('certificate has expired'), own)).toMatchObject([
      { subject: { key: 'Cluster a' }, servedBy: 'api-server', expired: true },
    ]);
    expect(await derive(certificates, given(''), { cluster: 'b' })).toEqual([]);
    for (const reason of ['forbidden', 'not-found', 'server-error', 'timed-out'] as const) {
      const [row] = await derive(certificates, given('', { 'network.certificates': gap(reason) }), own);
      expect(gapOf(row)).toMatchObject({ reason });
    }
  });
});

describe('certificates that clients refuse', () => {
  const now = 'current time 2026-05-04T12:00:00Z is';
  const outdated = {
    id: 'certificate-expired',
    captured: { host: 'grafana.example' },
    sample: `x509: certificate has expired or is not yet valid: ${now} after 2026-05-01T00:00:00Z`,
    lastAge: 60,
  };
  const misnamed = {
    id: 'certificate-wrong-name',
    captured: { host: 's.m.svc' },
    sample: 'x509: certificate is valid for a.example, b.example, not s.m.svc',
    lastAge: 60,
  };
  const rowsOf = (hits: unknown, more: object = {}) =>
    derive(certificates, { hub: cluster(hits, { 'network.certificates': [], ...more }) }, { cluster: 'hub' });

  it('stand beside those that were looked at', async () => {
    expect(await rowsOf([outdated, misnamed])).toMatchObject([
      { subject: { key: 'Ingress m/i' }, expired: true, covers: true, notAfter: '2026-05-01T00:00:00Z' },
      { subject: { key: 'Service m/s' }, expired: false, covers: false, names: ['a.example', 'b.example'] },
    ]);
  });

  it('count while the line is new, and not where they are the object store’s', async () => {
    expect(await rowsOf([{ ...outdated, lastAge: 9000 }])).toEqual([]);
    expect(await rowsOf([{ ...outdated, captured: { host: 's3.example' } }])).toEqual([]);
  });

  it('are not known where a log cannot be read', async () => {
    const rows = await rowsOf(gap());
    expect(rows.map(row => gapOf(row)?.reason)).toContain('forbidden');
  });
});
