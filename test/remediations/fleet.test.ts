import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { beforeAll, expect, onTestFinished, test } from 'vitest';
import type { RawObject } from '../../src/model/source.ts';
import { type Program, program, temporaryFolder } from '../cli/program.ts';
import { type MutableServer, startMutableServer } from '../mutable-server/server.ts';
import { node, pod, STORE_TEXT, secret, workload } from './scenes.ts';

let doctor: Program;
beforeAll(async () => {
  doctor = await program();
}, 120_000);

const RULE = 'bucket-has-two-compactors';

function compactor(name: string, created: string): readonly RawObject[] {
  const env = [{ name: 'CONFIG', valueFrom: { secretKeyRef: { name: 'objstore', key: 'store.yml' } } }];
  const args = ['compact', '--wait', '--objstore.config=$(CONFIG)'];
  const container = { name: 'compact', image: 'quay.io/thanos/thanos:v0.40.1', args, env };
  const set = workload('StatefulSet', name, {
    metadata: { creationTimestamp: created },
    spec: { template: { metadata: { labels: { app: name } }, spec: { containers: [container] } } },
  });
  const running = {
    phase: 'Running',
    conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: created }],
    containerStatuses: [
      {
        name: 'compact',
        image: container.image,
        ready: true,
        restartCount: 0,
        state: { running: { startedAt: created } },
      },
    ],
  };
  const only = pod(set, `${name}-0`, { spec: { containers: [container] }, status: running });
  return [set, { ...only, metadata: { ...only.metadata, creationTimestamp: created } }];
}

/** A kubeconfig with two clusters, each of which runs a Compactor of the same bucket. */
async function fleet(): Promise<{ servers: readonly MutableServer[]; environment: Record<string, string> }> {
  const store = createServer((_, response) =>
    response.writeHead(403, { 'content-type': 'application/xml' }).end('<Error><Code>AccessDenied</Code></Error>'),
  );
  await new Promise<void>(resolve => store.listen(0, '127.0.0.1', resolve));
  const text = STORE_TEXT.replace(
    '"s3.example"',
    `127.0.0.1:${(store.address() as AddressInfo).port}\n  insecure: true`,
  );
  const serve = (name: string, created: string) =>
    startMutableServer({
      objects: [
        { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'ns' } },
        node('node-1'),
        secret(text),
        ...compactor(name, created),
      ],
      other: url =>
        url.pathname.endsWith('/log') ? { is: 'answer', status: 200, headers: {}, body: Buffer.from('') } : undefined,
    });
  const servers = [await serve('first', '2025-01-01T00:00:00Z'), await serve('second', '2026-01-01T00:00:00Z')];
  onTestFinished(async () => {
    for (const server of servers) await server.close();
    store.closeAllConnections();
    store.close();
  });
  const folder = temporaryFolder();
  const names = ['hub', 'edge'];
  const kubeconfig = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: servers.map(({ url }, index) => ({ name: names[index], cluster: { server: url } })),
    users: [{ name: 'tester', user: { token: 'none' } }],
    contexts: names.map(name => ({ name, context: { cluster: name, user: 'tester' } })),
    'current-context': 'hub',
  };
  writeFileSync(join(folder, 'kubeconfig'), JSON.stringify(kubeconfig));
  mkdirSync(join(folder, 'state'));
  return {
    servers,
    environment: { KUBECONFIG: join(folder, 'kubeconfig'), XDG_STATE_HOME: join(folder, 'state') },
  };
}

test('a finding of the fleet is mended in the one cluster that it names', async () => {
  const { servers, environment } = await fleet();
  const [hub, edge] = servers as [MutableServer, MutableServer];
  const found = await doctor.run(['diagnose', '--all-contexts', '--only', RULE, '--format', 'json'], environment);
  const [finding] = JSON.parse(found.stdout).findings;
  expect(finding).toMatchObject({ cluster: 'fleet', fix: { automatic: 'thanos.stop-second-compactor' } });

  const plan = await doctor.run(['fix', RULE, '--all-contexts', '--plan', '--format', 'json'], environment);
  // What it says to type chooses the same clusters: the current context alone would be another plan.
  expect(plan.stderr).toMatch(/to apply exactly this: thanos-doctor fix \S+ --all-contexts --confirm [0-9a-f]{64}$/m);
  expect(JSON.parse(plan.stdout)[0], plan.stdout).toMatchObject({ cluster: 'edge', finding: finding.id });
  expect(plan.code, plan.stdout + plan.stderr).toBe(0);

  const done = await doctor.run(['fix', RULE, '--all-contexts', '--yes'], environment);
  expect(done.stdout + done.stderr).toMatch(/^fixed: bucket-has-two-compactors in edge/m);
  expect(edge.find('StatefulSet', 'ns', 'second')?.spec.replicas).toBe(0);
  expect(hub.writes).toEqual([]);
});
