import { mkdtempSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { NO_EXPECTATIONS } from '../../src/app/diagnose.ts';
import { type FixSetting, fixableRoots, fixFindings, undoFix } from '../../src/app/fix.ts';
import { diagnoseWith } from '../../src/app/fix-diagnosis.ts';
import { openJournal } from '../../src/app/fix-journal.ts';
import { RULES_FOLDER } from '../../src/app/package-files.ts';
import { loadRulesFrom } from '../../src/app/rule-files.ts';
import { builtinSignatures } from '../../src/app/signature-files.ts';
import { fixExitCode } from '../../src/cli/commands/fix.ts';
import { openLiveCluster } from '../../src/clusters/live-source.ts';
import { openLiveWriter } from '../../src/clusters/live-writer.ts';
import type { Plan } from '../../src/model/remediation.ts';
import { type MutableServer, startMutableServer } from '../mutable-server/server.ts';
import { NO_WISHES } from './harness.ts';
import { node, pod, STORE_TEXT, secret, workload } from './scenes.ts';

const RULE = 'object-store-speaks-http';
const RULES = loadRulesFrom(RULES_FOLDER).rules.filter(({ id }) => id === RULE || id === 'sidecar-not-uploading');

/** A Prometheus with a sidecar that is to upload to a store that has plain HTTP only. `rounds` are those of its shipper. */
async function sidecarSite(rounds: () => number) {
  const store = createServer((_, response) =>
    response.writeHead(403, { 'content-type': 'application/xml' }).end('<Error><Code>AccessDenied</Code></Error>'),
  );
  await new Promise<void>(resolve => store.listen(0, '127.0.0.1', resolve));
  const { port } = store.address() as AddressInfo;
  const env = [{ name: 'CONFIG', valueFrom: { secretKeyRef: { name: 'objstore', key: 'store.yml' } } }];
  const containers = [
    { name: 'prometheus', image: 'quay.io/prometheus/prometheus:v3.7.0', args: ['--storage.tsdb.retention.time=6h'] },
    {
      name: 'sidecar',
      image: 'quay.io/thanos/thanos:v0.40.1',
      args: ['sidecar', '--objstore.config=$(CONFIG)'],
      env,
    },
  ];
  const set = workload('StatefulSet', 'p', {
    spec: { template: { metadata: { labels: { app: 'p' } }, spec: { containers } } },
  });
  const status = {
    phase: 'Running',
    conditions: [{ type: 'Ready', status: 'True' }],
    containerStatuses: containers.map(({ name, image }) => ({
      name,
      image,
      ready: true,
      restartCount: 0,
      state: { running: { startedAt: '2026-01-01T00:00:00Z' } },
    })),
  };
  const metrics = () =>
    `# TYPE thanos_shipper_dir_syncs_total counter\nthanos_shipper_dir_syncs_total ${rounds()}\nthanos_sidecar_prometheus_up 1\n`;
  const server = await startMutableServer({
    objects: [
      { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'ns' } },
      node('node-1'),
      secret(STORE_TEXT.replace('"s3.example"', `127.0.0.1:${port}`)),
      set,
      pod(set, 'p-0', { spec: { containers }, status }),
    ],
    other: ({ pathname }) => {
      const text = pathname.endsWith('/log')
        ? ''
        : pathname.endsWith('p-0:10902/proxy/metrics')
          ? metrics()
          : undefined;
      return text === undefined
        ? undefined
        : { is: 'answer', status: 200, headers: { 'content-type': 'text/plain' }, body: Buffer.from(text) };
    },
  });
  onTestFinished(async () => {
    await server.close();
    store.closeAllConnections();
    store.close();
  });
  return server;
}

function settingFor(server: MutableServer): FixSetting & { readonly plans: Plan[] } {
  const folder = mkdtempSync(join(tmpdir(), 'verification-'));
  const kubeconfig = join(folder, 'kubeconfig');
  writeFileSync(kubeconfig, server.kubeconfig);
  const plans: Plan[] = [];
  const options = { name: 'test', kubeconfig, environment: {} };
  return {
    plans,
    rules: RULES,
    signatures: builtinSignatures(),
    expectations: NO_EXPECTATIONS,
    concurrency: 8,
    open: async () => [await openLiveCluster(options)],
    openWriter: () => openLiveWriter(options),
    journal: openJournal(folder),
    wishes: NO_WISHES,
    fleetClusters: undefined,
    namespaces: [],
    reason: '',
    maxChanges: 3,
    stateFolder: folder,
    lookEvery: 50,
    async confirm(plan) {
      plans.push(plan);
      // Nobody waits for ten minutes in a test.
      Object.assign(plan.verify, { seconds: 2 });
      return { is: 'yes' };
    },
  };
}

const textOf = (server: MutableServer) =>
  Buffer.from(server.find('Secret', 'ns', 'objstore')!.data['store.yml'], 'base64').toString('utf8');

test('a sidecar that uploads nothing after all leaves it unverified, and the undo that was promised works', async () => {
  const server = await sidecarSite(() => 0);
  const before = textOf(server);
  const setting = settingFor(server);
  const reports = await fixFindings(fixableRoots(await diagnoseWith(setting), RULE), setting);
  expect(reports).toMatchObject([
    {
      outcome: 'unverified',
      detail: expect.stringContaining('sidecar of p-0 has not gone through its blocks 2 times'),
    },
  ]);
  expect(fixExitCode(reports)).toBe(4);
  expect(textOf(server)).toContain('insecure: true');
  expect(reports[0]!.undo).toBe(`thanos-doctor fix --undo ${reports[0]!.id}`);
  expect(await undoFix(reports[0]!.id, setting)).toMatchObject([{ outcome: 'fixed' }]);
  expect(textOf(server)).toBe(before);
  expect(server.all('Secret')).toHaveLength(1);
  // A second time, it would restart what runs as before.
  const writes = server.writes.length;
  await expect(undoFix(reports[0]!.id, setting)).rejects.toThrow(/was taken back already/);
  expect(server.writes).toHaveLength(writes);
});

test('one that goes through its blocks again is as much as can be seen before the next is due', async () => {
  let rounds = 0;
  const server = await sidecarSite(() => {
    rounds += 1;
    return rounds;
  });
  const setting = settingFor(server);
  const reports = await fixFindings(fixableRoots(await diagnoseWith(setting), RULE), setting);
  expect(setting.plans[0]!.verify.signals?.map(({ is }) => is)).toEqual(['runs-for', 'uploads-go-on']);
  expect(reports).toMatchObject([
    { outcome: 'fixed', detail: expect.stringMatching(/healthy on evidence.*the next block is due at \S+:00Z$/) },
  ]);
  expect(fixExitCode(reports)).toBe(0);
});
