import { expect, test } from 'vitest';
import { checkWanted, fixableRoots } from '../../src/app/fix.ts';
import { builtinRules } from '../../src/app/rule-files.ts';
import type { Finding } from '../../src/model/finding.ts';
import { UserError } from '../../src/model/user-error.ts';
import { clusterToChange, seenFrom } from '../../src/remediations/fleet-target.ts';

function finding(cluster: string, given: Readonly<Record<string, string>>): Finding {
  return {
    id: `some-rule/${cluster}/Bucket//b`,
    rule: 'some-rule',
    title: '',
    severity: 'critical',
    cluster,
    subject: { kind: 'Bucket', namespace: '', name: 'b' },
    message: '',
    since: '',
    facts: {},
    evidence: [],
    root: true,
    causedBy: [],
    atRisk: '',
    fix: { byHand: '', automatic: 'some.action', action: { id: 'some.action', with: given, risk: '', onlyIf: [] } },
    involves: [],
  };
}

test.each<[string, Record<string, string>, string]>([
  ['the cluster of its key', { bucket: 'thanos@s3.example:443', compactor: 'StatefulSet ns/c @hub' }, 'hub'],
  ['the first that names one', { workload: 'StatefulSet ns/a @edge', other: 'StatefulSet ns/b @hub' }, 'edge'],
  ['several objects of one cluster', { workload: 'StatefulSet ns/a @edge,StatefulSet ns/b @edge' }, 'edge'],
  ['none for objects of several', { workload: 'StatefulSet ns/a @edge,StatefulSet ns/b @hub' }, ''],
  ['none where one of them has none', { workload: 'StatefulSet ns/a @edge,StatefulSet ns/b' }, ''],
  ['none where no key has one', { bucket: 'thanos@s3.example:443' }, ''],
])('a finding of the fleet is mended in %s', (_, given, cluster) => {
  expect(clusterToChange(finding('fleet', given))).toBe(cluster);
});

test('a finding of a cluster is mended there', () => {
  const own = finding('edge', { workload: 'StatefulSet ns/a' });
  expect(clusterToChange(own)).toBe('edge');
  expect(seenFrom('edge', own)).toBe(own);
});

test('keys of its own objects lose their cluster, those of others keep it', () => {
  const seen = seenFrom(
    'edge',
    finding('fleet', { workload: 'StatefulSet ns/a @edge,StatefulSet ns/c @edge', other: 'StatefulSet ns/b @hub' }),
  );
  expect(seen.cluster).toBe('edge');
  expect(seen.id).toBe('some-rule/fleet/Bucket//b');
  expect(seen.fix.action?.with).toEqual({
    workload: 'StatefulSet ns/a,StatefulSet ns/c',
    other: 'StatefulSet ns/b @hub',
  });
});

test('where no single cluster is named, the steps by hand are said with the reason', () => {
  const two = { workload: 'StatefulSet ns/a @edge,StatefulSet ns/b @hub', other: 'x' };
  const found = finding('fleet', two);
  const { action } = found.fix;
  const meant: Finding = {
    ...found,
    fix: { byHand: 'stop one of them\n', automatic: 'x', action: { ...action!, id: 'thanos.stop-second-compactor' } },
  };
  expect(fixableRoots([meant], meant.rule)).toEqual([]);
  const refused = catchUserError(() => checkWanted([meant], meant.rule));
  expect(refused.message).toBe('cannot fix some-rule: in which cluster it is to be mended cannot be told');
  expect(refused.hints).toEqual(['stop one of them']);
  const named = { ...meant, fix: { ...meant.fix, action: { ...meant.fix.action!, with: { workload: 'a @edge' } } } };
  expect(fixableRoots([named], '')).toEqual([named]);
});

test('where what the automatic fix rests on is not known to hold, that is the reason', () => {
  const found: Finding = {
    ...finding('edge', {}),
    rule: 'monitor-not-selected',
    fix: { byHand: 'label it', automatic: '' },
  };
  const { message, hints } = catchUserError(() => checkWanted([found], found.rule, builtinRules()));
  expect(message).toBe(
    'cannot fix monitor-not-selected: it is mended by hand, for this is not known to hold: one label is all that it lacks',
  );
  expect(hints).toEqual(['label it']);
  expect(catchUserError(() => checkWanted([found], found.rule)).message).toMatch(/: it is mended by hand$/);
});

function catchUserError(work: () => void): UserError {
  try {
    work();
  } catch (error) {
    if (error instanceof UserError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}
