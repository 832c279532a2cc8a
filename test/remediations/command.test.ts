import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { type Program, program, temporaryFolder } from '../cli/program.ts';
import { rollout } from '../mutable-server/controllers.ts';
import { RULE, site, textOf } from './site.ts';

let doctor: Program;
beforeAll(async () => {
  doctor = await program();
}, 120_000);

describe('thanos-doctor fix', () => {
  test('shows a plan, applies exactly that one, writes it down, and takes it back', async () => {
    const { server, environment, state } = await site();
    const before = textOf(server);
    const plan = await doctor.run(['fix', RULE, '--plan', '--format', 'json'], environment);
    expect(plan.code, plan.stdout + plan.stderr).toBe(0);
    expect(server.writes).toEqual([]);
    const [{ digest }] = JSON.parse(plan.stdout);
    const wrong = await doctor.run(['fix', RULE, '--confirm', 'f'.repeat(64)], environment);
    expect(wrong).toMatchObject({ code: 4 });
    expect(wrong.stdout).toContain('not the one that was reviewed');
    expect(server.writes).toEqual([]);

    const done = await doctor.run(['fix', RULE, '--confirm', digest, '--reason', 'a test'], environment);
    expect(done.stdout + done.stderr).toMatch(/^fixed: /m);
    expect(done.code).toBe(0);
    expect(textOf(server)).toBe(before.replace(/(endpoint: .*\n)/, '$1  insecure: true\n'));
    const event = server.all('Event').find(({ reason }) => reason === 'ThanosDoctorFixed');
    expect(event?.involvedObject).toMatchObject({ kind: 'Secret', name: 'objstore' });

    const log = readFileSync(join(state, 'audit.jsonl'), 'utf8');
    expect(statSync(join(state, 'audit.jsonl')).mode & 0o777).toBe(0o600);
    for (const text of [log, plan.stdout, done.stdout, done.stderr]) expect(text).not.toMatch(/canary|AKIAQ/);
    expect(log).toContain('"reason":"a test"');
    const history = await doctor.run(['fix', '--history', '--format', 'json'], environment);
    const [attempt] = JSON.parse(history.stdout);
    expect(attempt).toMatchObject({ outcome: 'fixed', who: 'tester', cluster: 'test' });

    const undone = await doctor.run(['fix', '--undo', attempt.id, '--yes'], environment);
    expect(undone.stdout + undone.stderr).toMatch(/^fixed: /m);
    expect(textOf(server)).toBe(before);
    expect(server.all('Secret').map(({ metadata }) => metadata.name)).toEqual(['objstore']);
  });

  test.each([
    ['an empty input', '</dev/null'],
    ['an empty line', '<<<""'],
    ['a piped yes', '<<<"yes"'],
  ])('is refused on %s, and says how to do it', async (_, input) => {
    const { server, environment } = await site();
    const { code, stdout } = await doctor.shell(`thanos-doctor fix ${RULE} ${input}`, { env: environment });
    expect(code).toBe(4);
    expect(stdout).toMatch(
      /refused: .*no terminal to ask on; look at it with `thanos-doctor fix .* --plan`, then give --confirm [0-9a-f]{64}/,
    );
    expect(server.writes).toEqual([]);
  });

  test('survives kill -9: what was begun is gone on with', async () => {
    const { server, environment } = await site({ controllers: [] });
    const started = doctor.start(['fix', RULE, '--yes'], { env: environment });
    await started.said(/waiting: all pods of StatefulSet ns\/store/);
    started.kill('SIGKILL');
    expect((await started.result).signal).toBe('SIGKILL');
    expect(textOf(server)).toContain('insecure: true');
    const again = await doctor.run(['fix', RULE, '--yes'], environment);
    expect(again.code).not.toBe(0);
    expect((await doctor.run(['fix', '--resume'], environment)).stdout).toMatch(/refused: .*no terminal/);
    rollout(server, undefined, server.find('StatefulSet', 'ns', 'store'));
    const writes = server.writes.filter(write => !write.includes('/leases'));
    const resumed = await doctor.run(['fix', '--resume', '--yes'], environment);
    expect(resumed.stdout + resumed.stderr).toMatch(/^fixed: /m);
    const since = server.writes.filter(write => !write.includes('/leases')).slice(writes.length);
    expect(since).toEqual(['POST /api/v1/namespaces/ns/events']);
    expect((await doctor.run(['fix', '--resume', '--yes'], environment)).stderr).toMatch(/there is nothing to resume/);
  });

  test('goes on from diagnose --fix, and says so in the report', async () => {
    const { server, environment } = await site();
    const { stdout, code } = await doctor.run(
      ['diagnose', '--fix', '--yes', '--format', 'json', '--only', RULE],
      environment,
    );
    expect(JSON.parse(stdout).fixes).toMatchObject([
      { outcome: 'fixed', rule: RULE, undo: expect.stringContaining('fix --undo ') },
    ]);
    expect(code).toBe(0);
    expect(textOf(server)).toContain('insecure: true');
  });

  test('leaves what git owns to git', async () => {
    const { server, environment } = await site();
    const live = server.find('Secret', 'ns', 'objstore')!;
    server.put({
      ...live,
      metadata: { ...live.metadata, annotations: { 'argocd.argoproj.io/tracking-id': 'site:/Secret:ns/objstore' } },
    });
    const refused = await doctor.run(['fix', RULE, '--yes'], environment);
    expect(refused.code).toBe(4);
    expect(refused.stdout).toMatch(/refused: .*owner-known: .*Argo CD \(application site\)/);
    const folder = temporaryFolder();
    await doctor.run(['fix', RULE, '--emit-patch', folder], environment);
    const patch = readFileSync(join(folder, 'ns-secret-objstore.patch.yaml'), 'utf8');
    expect(patch).toContain('insecure: true');
    expect(patch).not.toMatch(/canary|AKIAQ/);
    expect(server.writes).toEqual([]);
  });

  test('says what is wrong with what was asked for', async () => {
    const { environment } = await site();
    expect((await doctor.run(['fix', 'node-cordoned'], environment)).stderr).toMatch(/there is no such finding now/);
    expect((await doctor.run(['fix'], environment)).stderr).toMatch(/fix needs a finding or a rule/);
    expect((await doctor.run(['fix', '--undo', 'x'], environment)).stderr).toMatch(/the audit log has no such fix/);
    expect((await doctor.run(['fix', '--resume'], environment)).stderr).toMatch(/there is nothing to resume/);
    expect((await doctor.run(['fix', RULE, '--resume', '--history'], environment)).code).toBe(2);
  });
});

describe('thanos-doctor recover', () => {
  test('stops where only a person can go on', async () => {
    const { server, environment } = await site();
    const { code, stdout } = await doctor.run(['recover', 'full-outage', '--context', 'test'], environment);
    expect(code).toBe(4);
    expect(stdout).toContain('thanos-doctor collect --context test -o incident.tar.gz');
    expect(stdout).toMatch(/1 of 12 {2}save what.*thanos-doctor collect.*stopped at step 1/s);
    expect(server.writes).toEqual([]);
  });

  test('shows what a step rests on, and stops at the first that is not in order', async () => {
    const { server, environment } = await site();
    const { code, stdout } = await doctor.run(['recover', 'compactor-overlap'], environment);
    expect(code).toBe(4);
    expect(stdout).toMatch(/1 of 4 {2}one Compactor only\n {3}in order: bucket-has-two-compactors/);
    expect(stdout).toMatch(/stopped at step/);
    expect(server.writes).toEqual([]);
  });

  test('names the scenarios', async () => {
    const { environment } = await site();
    expect((await doctor.run(['recover', 'everything'], environment)).stderr).toContain(
      'full-outage: everything is down',
    );
  });
});
