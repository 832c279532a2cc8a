import { beforeAll, describe, expect, test } from 'vitest';
import { RUNBOOKS } from '../../src/remediations/runbooks.ts';
import { type Program, program } from './program.ts';

let cli: Program;
beforeAll(async () => {
  cli = await program();
}, 60_000);

const COMMANDS = ['diagnose', 'fix', 'recover', 'collect', 'demo', 'explain', 'rules', 'logs', 'completion'];

describe('a mistake in the command line is said, with what to do', () => {
  test.each<[string, string, ...string[]]>([
    ['', 'no command was given', 'commands: diagnose, '],
    ['--quiet', 'no command was given'],
    ['diagnos', 'there is no command "diagnos"; did you mean "diagnose"?', 'thanos-doctor --help'],
    ['colect -o x', 'did you mean "collect"?'],
    ['diagnose --bundl x', 'there is no option --bundl of diagnose; did you mean "--bundle"?', 'diagnose --help'],
    ['diagnose --no-log', 'there is no option --no-log of diagnose'],
    ['diagnose --rules.x y', 'there is no option --rules.x of diagnose'],
    ['diagnose -x', 'there is no option -x of diagnose'],
    ['diagnose extra', 'diagnose does not know what to do with "extra"'],
    ['diagnose --only storage thanos', 'repeat the option: --only thanos'],
    ['diagnose -- --bundle x', 'a word too many: "--bundle"'],
    ['diagnose --bundle', 'the option --bundle needs a value'],
    ['diagnose --bundle=', 'the option --bundle needs a value'],
    ['diagnose --format', 'the option --format needs a value'],
    ['diagnose --timeout', 'the option --timeout needs a value'],
    ['diagnose --fail-on', 'the option --fail-on needs a value'],
    ['diagnose -o', 'the option -o needs a value'],

    ['diagnose --only', 'the option --only needs a value'],
    ['diagnose --no-bundle', 'there is no option --no-bundle'],
    ['diagnose --format xml', 'the option --format does not take "xml"', 'it takes: text, markdown, json'],
    ['diagnose --format jsn', 'did you mean "json"?'],
    ['diagnose --fail-on fatal', 'the option --fail-on does not take "fatal"'],
    ['diagnose --color=sometimes', 'it takes: auto, always, never'],
    ['diagnose --quiet=maybe', 'the option --quiet takes no value'],
    ['diagnose --format json --format text', 'the option --format is given 2 times'],
    ['diagnose --bundle x --bundle y', 'the option --bundle is given 2 times'],
    ['diagnose --timeout 1 --timeout 2', 'the option --timeout is given 2 times'],
    ['diagnose --timeout soon', 'the option --timeout needs a number above 0'],
    ['diagnose --timeout NaN', 'the option --timeout needs a number above 0'],
    ['diagnose --timeout -5', 'the option --timeout needs a number above 0'],
    ['diagnose --timeout 0', 'the option --timeout needs a number above 0'],
    ['diagnose --concurrency 0', 'the option --concurrency needs a number above 0'],
    ['diagnose --concurrency 1.5', 'the option --concurrency needs a whole number'],
    ['diagnose --bundle x --context y', '--context and --bundle exclude each other'],
    ['diagnose --bundle x --all-contexts', '--all-contexts and --bundle exclude each other'],
    ['diagnose --bundle x --kubeconfig y', '--kubeconfig and --bundle exclude each other'],
    ['diagnose --bundle x -n y', '--namespace and --bundle exclude each other'],
    ['diagnose --bundle x --since 2h', '--since and --bundle exclude each other'],
    ['diagnose --bundle x --port-forward', '--port-forward and --bundle exclude each other'],
    ['diagnose --all-contexts --context y', '--all-contexts and --context exclude each other'],
    ['diagnose --all-contexts --fleet y', '--all-contexts and --fleet exclude each other'],
    ['diagnose --since soon', '--since needs a duration such as 30m or 2h, not "soon"'],
    ['collect', 'the option --output is missing'],
    ['collect -o incident.zip', 'bundles are folders or .tar.gz files'],
    ['collect -o /tmp', 'it is there already'],
    ['collect -o /nonexistent/x.tar.gz', 'there is no folder /nonexistent'],
    ['demo --fleet pool', 'it takes: pool-exhausted, sidecar-speaks-https'],
    ['explain', 'explain lacks an argument', 'usage: thanos-doctor explain <rule>'],
    ['explain a b', 'explain does not know what to do with "b"'],
    ['logs --component nobody', 'there is no component "nobody"'],
    ['completion tcsh', 'completion does not take "tcsh"', 'it takes: bash, zsh, fish'],
    ['diagnose --size 10Gi', '--size does nothing without --fix'],
    ['diagnose --max-changes=2', '--max-changes does nothing without --fix'],
  ])('thanos-doctor %s', async (line, ...expected) => {
    const { code, stdout, stderr } = await cli.run(line.split(' ').filter(Boolean));
    expect(code).toBe(2);
    expect(stdout).toBe('');
    expect(stderr).toMatch(/^thanos-doctor: \S.*\n( {2}\S.*\n)*$/);
    expect(stderr).not.toContain('unexpected error');
    for (const text of expected) expect(stderr).toContain(text);
  });
});

test('recover without a scenario lists them all', async () => {
  const { code, stdout } = await cli.run(['recover']);
  expect(code).toBe(0);
  expect(stdout).toMatch(/^full-outage: \S/);
  expect(stdout.split('\n')).toHaveLength(RUNBOOKS.length + 1);
});

describe('help', () => {
  test('says what there is', async () => {
    const { code, stdout, stderr } = await cli.run(['--help']);
    expect([code, stderr]).toEqual([0, '']);
    for (const command of COMMANDS) expect(stdout).toContain(`thanos-doctor ${command}`);
    expect(stdout).toContain('Exit codes:');
    expect((await cli.run(['help'])).stdout).toBe(stdout);
    expect((await cli.run(['-h'])).stdout).toBe(stdout);
  });

  test.each(COMMANDS)('of %s has examples and exit codes', async command => {
    const { code, stdout, stderr } = await cli.run([command, '--help']);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/^Examples:\n {2}\S*.*thanos-doctor /m);
    expect(stdout).toMatch(/^Exit codes:\n +0 {2}\S/m);
    expect(stdout).toMatch(/^ +2 {2}\S/m);
    // An option that is shown has words of its own.
    expect(stdout).not.toMatch(/^ +(-\w, )?--[\w-]+ +\[/m);
    expect(Math.max(...stdout.split('\n').map(line => line.length))).toBeLessThanOrEqual(110);
  });

  test('speaks one language, whatever the locale', async () => {
    const help = (await cli.run(['diagnose', '--help'])).stdout;
    for (const locale of ['ko_KR.UTF-8', 'de_DE.UTF-8', 'C', '']) {
      expect((await cli.run(['diagnose', '--help'], { LC_ALL: locale, LANG: locale, LANGUAGE: locale })).stdout).toBe(
        help,
      );
    }
  });
});

describe('completion', () => {
  const offered = async (line: string, shell = 'bash') =>
    (await cli.run(['--complete', shell, ...line.split(' ')])).stdout.split('\n').filter(Boolean);

  test('commands, options, and values of options', async () => {
    expect(await offered('')).toEqual(expect.arrayContaining(COMMANDS));
    expect(await offered('dia')).toEqual(['diagnose']);
    expect(await offered('diagnose --f')).toEqual(expect.arrayContaining(['--fleet', '--format', '--fail-on']));
    expect(await offered('diagnose --format ')).toEqual(['text', 'markdown', 'json']);
    expect(await offered('diagnose --format=j')).toEqual(['json']);
    expect(await offered('diagnose --format = j')).toEqual(['json']);
    expect(await offered('diagnose --no-')).toEqual(['--no-logs', '--no-secrets', '--no-cache']);
    expect(await offered('diagnose --quiet --format text --f')).not.toContain('--format');
    expect(await offered('diagnose --only storage --on')).toEqual(['--only']);
    expect(await offered('--col')).toEqual(['--color']);
    expect(await offered('demo --fleet s')).toEqual(['sidecar-speaks-https']);
    expect(await offered('completion ')).toEqual(['bash', 'zsh', 'fish']);
  });

  test('ids of rules, folders, tags, components, contexts', async () => {
    expect(await offered('explain object-store-speaks-h')).toEqual(['object-store-speaks-http']);
    expect(await offered('fix object-store-speaks-h')).toEqual(['object-store-speaks-http']);
    expect(await offered('fix pod-not-')).toEqual([]);
    expect(await offered('recover backup-')).toEqual(['backup-bucket', 'backup-prometheus']);
    expect(await offered('diagnose --only obj')).toContain('object-storage');
    expect(await offered('diagnose --only obj')).toContain('object-store-speaks-http');
    expect(await offered('logs --component thanos-si')).toEqual(['thanos-sidecar']);
    expect(await offered('diagnose --context ')).toEqual([]);
  });

  test('nothing where files are wanted: the shell offers them', async () => {
    for (const line of ['diagnose --bundle ', 'diagnose -o r', 'collect --output ', 'rules --lint ', 'logs '])
      expect(await offered(line)).toEqual([]);
  });

  test('with what it means, for zsh', async () => {
    expect(await offered('coll', 'zsh')).toEqual(['collect:save what a diagnosis would read, redacted, as a bundle']);
    expect(await offered('diagnose --fo', 'zsh')).toEqual(['--format:what standard output gets']);
  });

  test('the script for each shell; the one in $SHELL where none is named', async () => {
    const bash = (await cli.run(['completion', 'bash'])).stdout;
    const zsh = (await cli.run(['completion', 'zsh'])).stdout;
    expect(bash).toContain('complete -o bashdefault -o default -F _thanos_doctor thanos-doctor');
    expect(zsh).toMatch(/^#compdef thanos-doctor\n/);
    expect((await cli.run(['completion'], { SHELL: '/usr/bin/zsh' })).stdout).toBe(zsh);
    expect((await cli.run(['completion'], { SHELL: '/bin/bash' })).stdout).toBe(bash);
    const fish = (await cli.run(['completion', 'fish'])).stdout;
    expect(fish).toContain("complete -c thanos-doctor -f -a '(__thanos_doctor_complete)'");
    expect((await cli.run(['completion'], { SHELL: '/usr/bin/fish' })).stdout).toBe(fish);
    // Fish takes the whole word, and a description behind a tab.
    const words = async (...given: readonly string[]) => (await cli.run(['--complete', 'fish', ...given])).stdout;
    expect(await words('diagnose', '--format=j')).toBe('--format=json\n');
    expect(await words('di')).toMatch(/^diagnose\tfind /);
    expect((await cli.run(['completion'], { SHELL: undefined })).stdout).toBe(bash);
  });

  test('in a real bash', async () => {
    const complete = `
      source <(thanos-doctor completion bash)
      try() { COMP_WORDS=(thanos-doctor "$@"); COMP_CWORD=$#; COMPREPLY=(); _thanos_doctor; echo "\${COMPREPLY[*]}"; }
      try explain object-store-speaks-h
      try diagnose --format ""
      try diagnose --format = ma
      try coll`;
    const { stdout, stderr } = await cli.shell(complete);
    expect(stderr).toBe('');
    expect(stdout).toBe('object-store-speaks-http\ntext markdown json\nmarkdown\ncollect\n');
  });
});
