import { describe, expect, it } from 'vitest';
import type { Gap } from '../../src/model/gap.ts';
import { couldNotCheck, notLookedAt, whatIsMissing, withoutDetails } from '../../src/report/could-not-check.ts';
import { clusterOf, FORBIDDEN, forbiddenLog, gapOf, reportOf, THREE_ROOTS, unknownOf } from './samples.ts';

describe('what is missing, and how to allow it', () => {
  const cases: readonly (readonly [string, Partial<Gap>, string])[] = [
    ['/api/v1/namespaces/a/pods/p/log?container=c', {}, 'logs in a → deploy/rbac/reader.yaml'],
    ['/api/v1/namespaces/a/pods/p:9090/proxy/metrics', {}, 'HTTP of pods in a → deploy/rbac/reader.yaml'],
    ['/api/v1/namespaces/a/services/s:80/proxy/-/ready', {}, 'HTTP of services in a → deploy/rbac/reader.yaml'],
    ['/api/v1/nodes/n/proxy/stats/summary', {}, 'HTTP of nodes → deploy/rbac/reader-node-statistics.yaml'],
    ['/api/v1/namespaces/a/secrets/s', {}, 'secrets in a → deploy/rbac/reader-object-store-secret.yaml'],
    ['/api/v1/pods', {}, 'pods → deploy/rbac/reader.yaml'],
    ['/apis/apps/v1/deployments', {}, 'deployments.apps → deploy/rbac/reader.yaml'],
    ['/apis/longhorn.io/v1beta2/namespaces/l/volumes', {}, 'volumes.longhorn.io in l → deploy/rbac/reader.yaml'],
    ['', { detail: 'cannot list resource "events" in API group ""' }, 'events → deploy/rbac/reader.yaml'],
    ['s3://thanos?lifecycle', { reason: 'malformed' }, 'lifecycle of bucket thanos → '],
    ['s3://thanos/x/meta.json', {}, 'bucket thanos → allow s3:ListBucket and s3:GetObject on thanos'],
    ['/api/v1/pods', { reason: 'unauthenticated' }, 'pods → log in again'],
    ['/version', { reason: 'tls' }, '/version of the API server → give the CA that signed the certificate'],
    ['s3://thanos', { reason: 'tls', detail: 'write EPROTO 80CC:error:0A00010B:SSL' }, 'bucket thanos → '],
    ['', { reason: 'rule-error', evidence: '' }, 'a condition → report it with the rule and these words'],
    ['', { reason: 'malformed', evidence: 'prometheus.targets' }, 'prometheus.targets → '],
  ];
  it.each(cases)('%s', (path, given, expected) => {
    const gap = gapOf({ path, ...given });
    const [group] = couldNotCheck(reportOf({ unknowns: [unknownOf('r', 'hub', gap)] }));
    expect(`${whatIsMissing(gap)} → ${group?.way}`).toBe(expected);
  });
});

describe('groups', () => {
  it('what checks lacked is not said again as not looked at', () => {
    const gap = gapOf({ path: '/api/v1/namespaces/a/secrets/s' });
    const report = reportOf({
      unknowns: [unknownOf('r', 'hub', gap)],
      notLookedAt: [{ cluster: 'hub', gap, rules: ['s'] }],
    });
    expect(notLookedAt(report, couldNotCheck(report))).toEqual([]);
  });

  it('what differs in details alone is one line where there is no room for them', () => {
    const lacking = (cluster: string, detail: string) => {
      const path = '/api/v1/namespaces/a/pods/p:9090/proxy/x';
      return { cluster, gap: gapOf({ path, reason: 'not-in-bundle', detail, notLookedAt: true }), rules: ['r'] };
    };
    const groups = notLookedAt(reportOf({ notLookedAt: [lacking('hub', 'no answer to x'), lacking('edge', 'nor y')] }));
    expect(groups).toHaveLength(2);
    expect(withoutDetails(groups)).toMatchObject([{ clusters: ['edge', 'hub'], why: 'the bundle does not hold it' }]);
  });

  it('namespaces that nobody asked for are one line', () => {
    const gap = (path: string) =>
      gapOf({ path, reason: 'not-asked', detail: 'only namespaces a, b looked at', notLookedAt: true });
    const report = reportOf({
      notLookedAt: [
        { cluster: 'hub', gap: gap('/api/v1/pods'), rules: ['r'] },
        { cluster: 'hub', gap: gap('/api/v1/services'), rules: ['r', 's'] },
      ],
    });
    expect(notLookedAt(report)).toMatchObject([
      { clusters: ['hub'], what: 'other namespaces', why: 'only namespaces a, b looked at', rules: ['r', 's'] },
    ]);
  });

  it.each([
    ['the run was stopped', 'run it again'],
    ["the run's time was over", 'run again with a longer --timeout'],
  ])('what the end of the run kept from being read is one line: %s', (words, way) => {
    const gap = (path: string) => gapOf({ path, reason: 'timed-out', detail: `${words} before an answer came` });
    const groups = couldNotCheck(
      reportOf({
        unknowns: [
          unknownOf('r', 'hub', gap('/api/v1/pods')),
          unknownOf('s', 'hub', gap('/apis/apps/v1/deployments')),
          unknownOf('r', 'west', gap('s3://thanos')),
        ],
      }),
    );
    expect(groups).toMatchObject([
      { clusters: ['hub', 'west'], what: 'what was still to be read', why: words, way, checks: 3, rules: ['r', 's'] },
    ]);
  });

  it('join equal gaps of several clusters and count the checks', () => {
    const groups = couldNotCheck(FORBIDDEN);
    expect(groups.map(({ clusters, what, checks }) => [clusters.join(), what, checks])).toEqual([
      ['hub,west', 'logs in metrics', 4],
      ['hub,west', 'HTTP of pods in metrics', 2],
      ['hub,west', 'bucket thanos', 2],
      ['hub,west', 'secrets in metrics', 2],
    ]);
  });

  it('have one line for a cluster that was not reached, though every rule lacks it', () => {
    const problem = 'no answer within 8 s';
    const gap = gapOf({ reason: 'timed-out', detail: problem, path: '/version', evidence: 'kubernetes.server' });
    const unknowns = Array.from({ length: 200 }, (_, at) =>
      unknownOf(`rule-${at}`, at % 2 === 0 ? 'west' : 'fleet', gap),
    );
    const clusters = [clusterOf('hub'), clusterOf('west', { reachable: false, problem })];
    const groups = couldNotCheck(reportOf({ clusters, unknowns }));
    expect(groups).toHaveLength(1);
    expect(groups[0]).toMatchObject({ clusters: ['west'], what: 'everything', why: problem, checks: 200 });
  });

  it('are the same whatever the order', () => {
    const reversed = { ...FORBIDDEN, unknowns: [...FORBIDDEN.unknowns].reverse() };
    const essential = (report: typeof FORBIDDEN) =>
      couldNotCheck(report).map(({ what, why, clusters, checks, way }) => ({ what, why, clusters, checks, way }));
    expect(essential(reversed)).toEqual(essential(FORBIDDEN));
  });

  it('count a check once that lacks the same thing twice', () => {
    const twice = unknownOf('r', 'hub', forbiddenLog('a', 'p-0'), forbiddenLog('a', 'p-1'));
    expect(couldNotCheck(reportOf({ unknowns: [twice] }))[0]?.checks).toBe(1);
  });

  it('fold what nobody asked for', () => {
    expect(notLookedAt(THREE_ROOTS)).toMatchObject([
      { clusters: ['hub', 'west'], what: 'bucket.blocks', rules: ['bucket-empty', 'bucket-has-overlaps'], checks: 0 },
    ]);
  });
});
