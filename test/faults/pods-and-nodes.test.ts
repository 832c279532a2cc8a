import { describe, expect, test } from 'vitest';
import { type Component, component, crashes, runs, waits } from './pods.ts';
import { diagnosed, type World } from './recorded-world.ts';
import { expectFound, type Fleet } from './scenario.ts';
import { settled } from './settle.ts';

/** One pod of it crashes, or all of them. */
const crashAll = (what: Component, crash: Parameters<typeof crashes>[3], container = what.container): void => {
  for (const pod of what.pods) crashes(what.world, pod, container, crash);
};

const HUB = ['query', 'store', 'compact', 'rule', 'grafana', 'alertmanager', 'operator', 'coredns'];
const EDGE = ['sidecar', 'alertmanager', 'operator', 'coredns', 'longhorn-manager', 'csi-provisioner'];
const PLACES: readonly (readonly [cluster: 'hub' | 'edge', what: string])[] = [
  ...HUB.map(what => ['hub', what] as const),
  ...EDGE.map(what => ['edge', what] as const),
];

const rootOf = (rule: string, what: Component) => [{ rule, cluster: what.world.cluster, subject: what.key }];

test('of a healthy fleet nothing follows', async () => {
  const report = await diagnosed('healthy-fleet', settled);
  expect(report.findings.filter(finding => finding.severity !== 'info')).toEqual([]);
});

describe('a container out of memory', () => {
  test.each(PLACES)('%s: %s', async (cluster, name) => {
    await expectFound(fleet => {
      const what = component(fleet[cluster], name);
      crashAll(what, { exitCode: 137, reason: 'OOMKilled' });
      return { roots: rootOf('container-out-of-memory', what), symptoms: ['pod-crash-loops'] };
    });
  });
});
