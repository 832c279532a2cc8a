import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Program, program } from '../cli/program.ts';
import { RULE, site, textOf } from '../remediations/site.ts';
import { controlPlaneAssets } from './control-plane.ts';
import { type RealCluster, startRealCluster } from './real-cluster.ts';

const assets = controlPlaneAssets();

describe.skipIf(assets === '')('thanos-doctor fix, with exactly the shipped roles on a real API server', () => {
  let cluster: RealCluster;
  let doctor: Program;
  beforeAll(async () => {
    doctor = await program();
    cluster = await startRealCluster(assets);
  }, 240_000);
  afterAll(() => cluster?.close());

  test('plans, applies what was reviewed, tells the cluster, and takes it back', async () => {
    const { server, environment, state } = await site({ start: options => cluster.start(options) });
    const before = textOf(server);
    const plan = await doctor.run(['fix', RULE, '--plan', '--format', 'json'], environment);
    expect(plan.code, plan.stdout + plan.stderr).toBe(0);
    expect(server.writes).toEqual([]);
    const [{ digest }] = JSON.parse(plan.stdout);
    const done = await doctor.run(['fix', RULE, '--confirm', digest], environment);
    expect(done.stdout + done.stderr).toMatch(/^fixed: /m);
    expect(textOf(server)).toContain('insecure: true');
    const event = server.all('Event').find(({ reason }) => reason === 'ThanosDoctorFixed');
    expect(event?.involvedObject).toMatchObject({ kind: 'Secret', name: 'objstore' });
    expect(readFileSync(join(state, 'audit.jsonl'), 'utf8')).not.toMatch(/canary|AKIAQ/);
    const [{ id, who }] = JSON.parse((await doctor.run(['fix', '--history', '--format', 'json'], environment)).stdout);
    expect(who).toBe('fixer');
    const undone = await doctor.run(['fix', '--undo', id, '--yes'], environment);
    expect(undone.stdout + undone.stderr).toMatch(/^fixed: /m);
    expect(textOf(server)).toBe(before);
    expect(cluster.forbidden()).toEqual([]);
  }, 60_000);
});
