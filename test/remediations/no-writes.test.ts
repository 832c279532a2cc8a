import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { RUNBOOKS } from '../../src/remediations/runbooks.ts';
import { type Program, program, temporaryFolder } from '../cli/program.ts';
import { RULE, site } from './site.ts';

let doctor: Program;
beforeAll(async () => {
  doctor = await program();
}, 120_000);

/**
 * Whatever is not a confirmation that names exactly what is written. Not counted as writes, as they keep nothing: reviews of
 * one's own rights, and what the server tries as a dry run.
 */
function commands(folder: string): Readonly<Record<string, readonly (readonly string[])[]>> {
  const log = join(folder, 'store.log');
  writeFileSync(log, 'level=error msg="server gave HTTP response to HTTPS client"\n');
  return {
    diagnose: [
      ['diagnose'],
      ['diagnose', '--all', '--format', 'json'],
      ['diagnose', '--format', 'markdown', '-o', join(folder, 'report.json')],
      ['diagnose', '--fix'],
      ['diagnose', '--fix', '--yes', '--max-changes', '0', '--only', RULE],
    ],
    collect: [
      ['collect', '-o', join(folder, 'bundle')],
      ['collect', '-o', join(folder, 'bundle.tar.gz')],
    ],
    fix: [
      ['fix', RULE],
      ['fix', RULE, '--plan'],
      ['fix', RULE, '--plan', '--format', 'json', '-o', join(folder, 'plan.json')],
      ['fix', RULE, '--plan', '--yes'],
      ['fix', RULE, '--emit-patch', join(folder, 'patches')],
      ['fix', RULE, '--emit-patch', join(folder, 'patches'), '--yes'],
      ['fix', RULE, '--confirm', 'f'.repeat(64)],
      ['fix', RULE, '--confirm', 'f'.repeat(64), '--yes'],
      ['fix', 'no-such-rule', '--yes'],
      ['fix', '--history'],
      ['fix', '--resume', '--yes'],
      ['fix', '--undo', 'no-such-fix', '--yes'],
    ],
    recover: [
      ['recover', 'no-such-scenario', '--yes'],
      ...RUNBOOKS.flatMap(({ id }) => [
        ['recover', id],
        ['recover', id, '--yes'],
      ]),
    ],
    demo: [['demo']],
    explain: [['explain', RULE]],
    rules: [['rules']],
    logs: [['logs', log]],
    'why-not-scraped': [['why-not-scraped', 'ns/store']],
    completion: [['completion']],
  };
}

describe('without a confirmation', () => {
  test('no command writes anything to any API', async () => {
    // Whatever would write fails, so that nothing can hide behind a write that went well.
    const { server, storeWrites, environment } = await site({
      fault: ({ dryRun }) => (dryRun ? undefined : { is: 'status', status: 500, reason: 'InternalError' }),
    });
    const folder = temporaryFolder();
    const all = commands(folder);
    const known = (await doctor.shell("thanos-doctor --complete bash ''", { env: environment })).stdout;
    expect(Object.keys(all).sort()).toEqual(known.split('\n').filter(Boolean).sort());
    for (const args of Object.values(all).flat()) {
      // The demonstration writes into the folder where it is.
      const { stderr } =
        args[0] === 'demo'
          ? await doctor.shell(`cd ${folder} && thanos-doctor demo`, { env: environment })
          : await doctor.run(args, environment);
      expect(stderr, args.join(' ')).not.toMatch(/unknown|not a command|is a bug/i);
      expect([...server.writes, ...storeWrites], args.join(' ')).toEqual([]);
    }
  }, 120_000);

  test('nothing is taken back', async () => {
    const { server, environment } = await site();
    await doctor.run(['fix', RULE, '--yes'], environment);
    const writes = [...server.writes];
    expect(writes).not.toEqual([]);
    const [{ id }] = JSON.parse((await doctor.run(['fix', '--history', '--format', 'json'], environment)).stdout);
    const { code, stdout } = await doctor.shell(`echo y | thanos-doctor fix --undo ${id}`, { env: environment });
    expect(code).toBe(4);
    expect(stdout).toMatch(/refused: .*no terminal/);
    expect(server.writes).toEqual(writes);
  });
});
