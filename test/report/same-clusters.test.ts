import { describe, expect, it } from 'vitest';
import { notAskedFor, sameClusters } from '../../src/report/same-clusters.ts';
import { text } from '../../src/report/text.ts';
import { clusterOf, findingOf, gapOf, reportOf, TERMINAL, unknownOf } from './samples.ts';

const FINDING = findingOf({ rule: 'r', cluster: 'west', fix: { byHand: '', automatic: 'some.action' } });

function reportAfter(command: string) {
  const report = reportOf({
    findings: [FINDING],
    roots: [FINDING.id],
    clusters: [
      { ...clusterOf('west'), context: 'admin@west' },
      { ...clusterOf('east'), context: "o'east" },
    ],
  });
  return { ...report, run: { ...report.run, command } };
}

describe('a command to go on with reads the same clusters', () => {
  it.each([
    ['thanos-doctor diagnose', ''],
    ['thanos-doctor diagnose --all-contexts -o report.md', ' --all-contexts'],
    ["thanos-doctor diagnose --context a --context='b c' --all", " --context a --context='b c'"],
    ["thanos-doctor diagnose --kubeconfig 'my config' --fleet f.yaml", " --kubeconfig 'my config' --fleet f.yaml"],
    ['thanos-doctor diagnose -n monitoring', ' -n monitoring'],
    ['thanos-doctor diagnose --bundle b.tar.gz', " --context admin@west --context 'o'\\''east'"],
    ['thanos-doctor demo --fleet pool-exhausted', " --context admin@west --context 'o'\\''east'"],
  ])('%s', (command, expected) => {
    expect(sameClusters(reportAfter(command), [FINDING])).toBe(expected);
    expect(text(reportAfter(command), TERMINAL)).toContain(`thanos-doctor fix r${expected}`);
  });

  it('of a bundle with many clusters, those of the finding; all for one about the fleet', () => {
    const report = reportAfter('thanos-doctor diagnose -b b');
    const many = Array.from({ length: 8 }, (_, index) => ({ ...clusterOf(`c${index}`), context: `c${index}` }));
    const fleet = { ...report, clusters: [...report.clusters, ...many] };
    expect(sameClusters(fleet, [FINDING])).toBe(' --context admin@west');
    expect(sameClusters(fleet, [{ ...FINDING, cluster: 'fleet' }])).toContain(' --context c0 --context c1');
  });

  it('offers only what was not asked for', () => {
    expect(notAskedFor(reportAfter('thanos-doctor diagnose'), false)).toEqual(['--all', '-o report.md']);
    expect(notAskedFor(reportAfter('thanos-doctor demo'), false)).toEqual([]);
    expect(notAskedFor(reportAfter('thanos-doctor diagnose --all -o report.md'), true)).toEqual([]);
    expect(text(reportAfter('thanos-doctor diagnose -o report.md'), TERMINAL)).toContain('diagnose again with --all\n');
  });
});

describe('a run that reached nothing', () => {
  it('does not say that no problem was found', () => {
    const clusters = [{ ...clusterOf('west'), reachable: false, problem: 'connect ECONNREFUSED' }];
    const gap = gapOf({ reason: 'unreachable', path: '/version', detail: 'connect ECONNREFUSED' });
    const notLookedAt = [{ cluster: 'fleet', gap: { ...gap, notLookedAt: true }, rules: ['s'] }];
    const report = reportOf({ verdict: 'unknown', clusters, unknowns: [unknownOf('r', 'west', gap)], notLookedAt });
    const page = text(report, TERMINAL);
    expect(page).toMatch(/^Nothing could be checked: cluster west could not be read\.\n/);
    // Why is said once.
    expect(page.match(/ECONNREFUSED/g)).toHaveLength(1);
  });
});
