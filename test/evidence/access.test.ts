import { describe, expect, it } from 'vitest';
import { collector as probeCollector } from '../../src/evidence/collectors/network.probe.ts';
import { collector as answersCollector } from '../../src/evidence/derived/access.answers.ts';
import { collector as reachabilityCollector } from '../../src/evidence/derived/fleet.reachability.ts';
import { collector as loggedClocks } from '../../src/evidence/derived/kubernetes.logged-clocks.ts';
import { collector as certificatesCollector } from '../../src/evidence/derived/network.certificates.ts';
import { gapOf } from '../../src/evidence/gaps.ts';
import type { Gap, GapReason } from '../../src/model/gap.ts';
import { derive, type Given, gap } from './derive.ts';
import { ago, collect } from './fake-source.ts';

function silent(reason: GapReason = 'timed-out', detail = 'no answer within 8 s'): Gap {
  return { evidence: 'kubernetes.server', reason, detail, path: '/version', notLookedAt: false };
}

const hub = (...endpoints: readonly object[]): Given => ({
  evidence: { 'kubernetes.server': { reachable: true }, 'thanos.query-endpoints': endpoints },
});
const gone = (unreachable: Gap = silent(), status = 0): Given => ({
  evidence: {},
  unreachable,
  failures: [{ path: '/version', status, reason: '', message: unreachable.detail }],
});
const LOST = {
  of: 'query',
  name: '192.0.2.11:10901',
  key: 'Endpoint 192.0.2.11:10901',
  state: 'down',
  unreadClusters: ['east'],
  labelTexts: ['{cluster="east"}'],
};

const east = async (clusters: Readonly<Record<string, Given>>) =>
  (await derive(reachabilityCollector, clusters)).find(row => row.name === 'east')!;

describe('fleet.reachability', () => {
  it('takes a cluster for gone when its API is silent and the hub has lost what leads there', async () => {
    const row = await east({ hub: hub(LOST), east: gone() });
    expect(row).toMatchObject({ answered: false, class: 'silent', gone: true, witnesses: [{ hub: 'hub' }] });
  });

  it('does not know while the hub still sees it', async () => {
    const row = await east({ hub: hub(LOST, { ...LOST, name: 'other:1', state: 'up' }), east: gone() });
    expect(() => row.gone).toThrow('no answer');
  });

  it('does not know where nothing of the hub leads there', async () => {
    const row = await east({ hub: hub({ ...LOST, unreadClusters: [], labelTexts: [] }), east: gone() });
    expect(() => row.gone).toThrow('no answer');
  });

  it('does not know where no API server answers from here', async () => {
    const row = await east({ hub: gone(), east: gone() });
    expect(() => row.gone).toThrow('no answer');
  });

  it('takes an address without labels for the only cluster that was not read', async () => {
    const nameless = { ...LOST, labelTexts: [] };
    expect((await east({ hub: hub(nameless), east: gone() })).gone).toBe(true);
    const two = { ...nameless, unreadClusters: ['east', 'west'] };
    const row = await east({ hub: hub(two), east: gone(), west: gone() });
    expect(() => row.gone).toThrow('no answer');
  });

  it.each([401, 403, 429, 500, 503])('takes status %i for an answer', async status => {
    const row = await east({ hub: hub(LOST), east: gone(silent('unreachable', 'Service Unavailable'), status) });
    expect([row.answered, row.gone]).toEqual([true, false]);
  });

  it('knows credentials that are refused from a server that is silent', async () => {
    expect((await east({ hub: hub(LOST), east: gone(silent('unauthenticated', 'Unauthorized'), 401) })).rejected).toBe(
      true,
    );
    expect((await east({ hub: hub(LOST), east: gone() })).rejected).toBe(false);
  });

  it('takes a certificate that is refused for an answer', async () => {
    const row = await east({ hub: hub(LOST), east: gone(silent('tls', 'certificate has expired')) });
    expect([row.answered, row.gone]).toEqual([true, false]);
  });
});

const FORBIDDEN = {
  path: '/api/v1/events',
  kind: 'objects',
  status: 403,
  message: 'events is forbidden: User "viewer" cannot list resource "events" in API group "" at the cluster scope',
  verb: 'list',
  resource: 'events',
};

describe('access.answers', () => {
  const answers = (failures: readonly object[], more: Readonly<Record<string, unknown>> = {}) =>
    derive(answersCollector, {
      a: {
        evidence: {
          'kubernetes.server': { ready: true },
          'access.failures': failures,
          'kubernetes.nodes': [],
          ...more,
        },
      },
    });

  it('names what was refused and what no rule allows, without proxies and Secrets', async () => {
    const denied = [
      { verb: 'get', resource: 'pods', subresource: 'log', namespace: 'm' },
      { verb: 'get', resource: 'pods', subresource: 'proxy', namespace: 'm' },
    ];
    const secret = {
      ...FORBIDDEN,
      path: '/api/v1/namespaces/m/secrets/s',
      kind: 'secret',
      verb: 'get',
      resource: 'secrets',
    };
    const found = await answers([FORBIDDEN, secret], { 'access.permissions': { complete: true, denied } });
    expect(found).toMatchObject({ user: 'viewer', denied: ['get pods/log in m', 'list events'] });
  });

  it('counts answers of the API server itself only', async () => {
    const behindProxy = { path: '/api/v1/namespaces/m/pods/p:9090/proxy/-/ready', kind: 'http', status: 401 };
    const own = (status: number, message = '') => ({ path: '/api/v1/pods', kind: 'objects', status, message });
    const found = await answers([behindProxy, own(401), own(429), own(503), own(500, 'etcdserver: request timed out')]);
    expect(found).toMatchObject({ unauthenticated: 1, throttled: 1, broken: 2, late: 1 });
  });

  it('is not ready by an answer of /readyz, not by its absence', async () => {
    const readyz = (status: number) => [{ path: '/readyz', kind: 'other', status, message: '[-]etcd failed' }];
    const server = { 'kubernetes.server': { ready: false } };
    expect((await answers(readyz(500), server)).notReady).toBe(true);
    expect((await answers(readyz(403), server)).notReady).toBe(false);
  });
});

describe('network.certificates', () => {
  const certificate = { present: true, expired: true, notAfter: ago(60), names: ['web.example'] };
  const places = {
    'kubernetes.ingresses': [
      {
        namespace: 'm',
        name: 'web',
        tls: [{ hosts: ['web.example'] }],
        annotations: { 'cert-manager.io/issuer': 'x' },
      },
    ],
    'fleet.addresses': [
      {
        cluster: 'a',
        kind: 'load-balancer',
        address: '192.0.2.11:10901',
        service: { namespace: 'm', name: 'sidecar' },
      },
      {
        cluster: 'b',
        kind: 'load-balancer',
        address: '192.0.2.12:10901',
        service: { namespace: 'm', name: 'sidecar' },
      },
    ],
    'thanos.object-stores': [
      { type: 'S3', address: 's3.example:443', endpointKey: 'Endpoint s3.example:443' },
      { type: 'S3', insecure: true, address: 'plain.example:80' },
    ],
  };

  it('asks Ingresses, own load balancers and object stores that speak TLS', async () => {
    const probe = (params: Readonly<Record<string, string>>) => ({ endpoint: params.endpoint, certificate });
    const rows = await derive(certificatesCollector, { a: { evidence: { ...places, 'network.probe': probe } } });
    expect(rows.map(row => [row.endpoint, row.subject.kind, row.renewedBy])).toEqual([
      ['web.example:443', 'Ingress', 'cert-manager'],
      ['192.0.2.11:10901', 'Service', ''],
      ['s3.example:443', 'Endpoint', ''],
    ]);
  });

  it('leaves a gap where a probe could not be made, and nothing where no certificate is shown', async () => {
    const probe = (params: Readonly<Record<string, string>>) =>
      params.endpoint === 'web.example:443' ? gap('not-in-bundle') : { certificate: {} };
    const rows = await derive(certificatesCollector, { a: { evidence: { ...places, 'network.probe': probe } } });
    expect(rows.map(row => gapOf(row)?.reason)).toEqual(['not-in-bundle']);
  });
});

describe('network.probe', () => {
  const shown = async (endpoint: string, names: readonly string[]) => {
    const dates = { notBefore: ago(86_400), notAfter: ago(-86_400), issuer: 'x' };
    const probe = () => ({ speaks: 'tls' as const, certificate: { ...dates, names } });
    return (await collect(probeCollector, { probe }, { endpoint })).certificate;
  };

  it.each([
    ['s3.example:443', ['s3.example'], true],
    ['s3.example:443', ['*.example'], true],
    ['a.s3.example:443', ['*.example'], false],
    ['192.0.2.1:443', ['192.0.2.1'], true],
    ['192.0.2.1:443', ['s3.example'], false],
    ['s3.example:443', [], true],
  ])('%s is covered by %j: %s', async (endpoint, names, covers) => {
    expect((await shown(endpoint, names)).covers).toBe(covers);
  });

  it('says how long a certificate has left of its life', async () => {
    expect(await shown('a:443', ['a'])).toMatchObject({ remaining: 86_400, lifetime: 172_800, expired: false });
  });
});

describe('kubernetes.logged-clocks', () => {
  const client = (node: string) => ({
    containerKey: `Container m/${node}/c`,
    pod: { namespace: 'm', name: node },
    container: 'c',
    node,
    state: 'running',
    needed: 'query',
  });
  const early = (now: string, more: object = {}) => ({
    id: 'certificate-not-yet-valid',
    open: true,
    sample: `x509: certificate has expired or is not yet valid: current time ${now} is before 2026-05-04T11:00:00Z`,
    ...more,
  });
  const rowsOf = (logs: Readonly<Record<string, unknown>>) =>
    derive(loggedClocks, {
      a: {
        evidence: {
          'kubernetes.containers': Object.keys(logs).map(client),
          'logs.signatures': ({ pod = '' }: { readonly pod?: string }) =>
            logs[pod] instanceof Error ? logs[pod] : { hits: logs[pod] },
        },
      },
    });

  it('tells the one node whose clock is behind', async () => {
    const rows = await rowsOf({ n: [early('2026-05-04T10:00:00Z'), early('2026-05-04T10:50:00Z')], o: [] });
    expect(rows).toMatchObject([{ node: 'n', behind: 3600, alone: true }]);
  });

  it('says nothing of a certificate that was issued a moment ago, nor of history', async () => {
    expect(await rowsOf({ n: [early('2026-05-04T10:58:00Z')], o: [] })).toEqual([]);
    expect(await rowsOf({ n: [early('2026-05-04T10:00:00Z', { open: false })], o: [] })).toEqual([]);
  });

  it('knows no node that is alone where there is one only, where others say so, or could not be asked', async () => {
    const hits = [early('2026-05-04T10:00:00Z')];
    expect(await rowsOf({ n: hits })).toMatchObject([{ alone: false }]);
    expect(await rowsOf({ n: hits, o: hits })).toMatchObject([{ alone: false }, { alone: false }]);
    const [row] = await rowsOf({ n: hits, o: gap() });
    expect(() => row!.alone).toThrow();
  });
});
