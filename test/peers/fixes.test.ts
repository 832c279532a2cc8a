/** Bugs that other tools of this kind had, each once, where something is changed. */
import { beforeAll, describe, expect, test } from 'vitest';
import { type Program, program } from '../cli/program.ts';
import { refusals, stage } from '../remediations/harness.ts';
import { base64, PLAIN_HTTP, STORE_TEXT, secret } from '../remediations/scenes.ts';
import { RULE, site, textOf } from '../remediations/site.ts';

let doctor: Program;
beforeAll(async () => {
  doctor = await program();
}, 120_000);

describe('T20 what could not be made sure of is not done', () => {
  test.each([
    ['a precondition that is not known', { ...PLAIN_HTTP, evidence: {} }],
    ['one that fails', { ...PLAIN_HTTP, objects: PLAIN_HTTP.objects.slice(1) }],
    [
      'one that cannot be parsed',
      { ...PLAIN_HTTP, objects: [secret('type: S3\nconfig: ['), ...PLAIN_HTTP.objects.slice(1)] },
    ],
  ])('%s', async (_what, scene) => {
    const { server, plan, apply } = await stage(scene);
    const planned = await plan();
    expect(refusals(planned).length).toBeGreaterThan(0);
    const report = await apply(planned);
    expect(report).toMatchObject({ outcome: 'refused', applied: [] });
    expect(server.writes.filter(write => !write.includes('/leases/'))).toEqual([]);
  });

  test('a verification that is not possible is no success', async () => {
    // Nobody rolls the pods out: that they took the change is never seen.
    const { server, environment } = await site({ controllers: [] });
    const run = doctor.start(['fix', RULE, '--yes'], { env: environment });
    await run.said(/waiting: all pods of StatefulSet ns\/store/);
    run.kill('SIGINT');
    const { code, stdout, stderr } = await run.result;
    expect(code).not.toBe(0);
    expect(stdout + stderr).not.toMatch(/^fixed: /m);
    expect(textOf(server)).toContain('insecure: true');
  });
});

describe('T21 only a yes is a yes', () => {
  test.each([
    ['an empty answer', '<<<""'],
    ['the end of the input', '</dev/null'],
    ['a piped yes', '<<<"yes"'],
    ['a piped yes for ever', '< <(yes)'],
  ])('%s', async (_what, input) => {
    const { server, environment } = await site();
    const { code } = await doctor.shell(`thanos-doctor fix ${RULE} ${input}`, { env: environment });
    expect(code).toBe(4);
    expect(server.writes).toEqual([]);
  });
});

describe('T22 what was changed after the plan is left alone', () => {
  test.each([
    ['made again', { metadata: { uid: 'another' } }],
    [
      'set by somebody else',
      { data: { 'store.yml': base64(STORE_TEXT.replace('"s3.example"\n', '"s3.example"\n  insecure: false\n')) } },
    ],
  ])('an object that was %s', async (_what, change: { metadata?: object; data?: object }) => {
    const { server, plan, apply } = await stage(PLAIN_HTTP);
    const planned = await plan();
    const before = server.find('Secret', 'ns', 'objstore')!;
    const theirs = server.put({ ...before, ...change, metadata: { ...before.metadata, ...change.metadata } });
    expect(['refused', 'failed']).toContain((await apply(planned)).outcome);
    expect(server.find('Secret', 'ns', 'objstore')).toEqual(theirs);
  });
});
