import type { Argv } from 'yargs';
import { UserError } from '../model/user-error.ts';
import type { DiagnoseArguments } from './commands/diagnose.ts';
import { EXIT } from './exit-codes.ts';
import { FAIL_ON, liveOptions, readingOptions, ruleOptions } from './options.ts';

const EXIT_CODES = `Exit codes:
  0  healthy, as far as looked
  1  problems at or above --fail-on
  2  a mistake in the command, a file or a rule
  3  no problem found, but something could not be read
  4  a fix was refused, failed, or could not be verified`;

/** Runs the command line (`process.argv` whole). Resolves to the exit code; nothing is thrown but a bug. */
export async function main(argv: readonly string[]): Promise<number> {
  const given = argv.slice(2);
  process.stdout.on('error', endOnClosedPipe);
  try {
    if (given.length === 1 && (given[0] === '--version' || given[0] === '-V')) {
      const { version } = await import('../app/version.ts');
      process.stdout.write(`${version()}\n`);
      return EXIT.healthy;
    }
    return await run(given);
  } catch (error) {
    if (error instanceof UserError) {
      const { userErrorText } = await import('../report/errors.ts');
      process.stderr.write(userErrorText(error));
      return EXIT.usage;
    }
    const { bugText } = await import('../report/errors.ts');
    const { version } = await import('../app/version.ts');
    process.stderr.write(
      bugText(error, {
        version: version(),
        platform: `Node ${process.version} on ${process.platform} ${process.arch}`,
      }),
    );
    return EXIT.usage;
  }
}

/** A reader such as `head` that has seen enough is no failure. */
function endOnClosedPipe(error: NodeJS.ErrnoException): void {
  if (error.code === 'EPIPE') process.exit(process.exitCode ?? 0);
  throw error;
}

async function run(given: readonly string[]): Promise<number> {
  const { default: yargs } = await import('yargs');
  let code: number = EXIT.healthy;
  const cli = yargs([...given])
    .scriptName('thanos-doctor')
    .locale('en')
    .usage(
      '$0 COMMAND [options]\n\nFinds the root cause when Thanos and Prometheus monitoring across Kubernetes clusters breaks.',
    )
    .parserConfiguration({ 'camel-case-expansion': false, 'duplicate-arguments-array': true, 'greedy-arrays': false })
    .option('color', {
      choices: ['auto', 'always', 'never'] as const,
      default: 'auto' as const,
      requiresArg: true,
      describe: 'colour; NO_COLOR turns it off too',
    })
    .option('quiet', { alias: 'q', type: 'boolean', default: false, describe: 'no progress, no notes' })
    .option('verbose', {
      alias: 'v',
      type: 'boolean',
      default: false,
      describe: 'say what is being read, a line a phase',
    });
  addCommands(cli, given, value => {
    code = value;
  });
  await cli
    .demandCommand(1, 'no command was given')
    .strict()
    .alias('help', 'h')
    .version(false)
    .option('version', { alias: 'V', type: 'boolean', describe: 'say the version' })
    .epilogue(EXIT_CODES)
    .wrap(Math.min(110, process.stdout.columns ?? 100))
    .fail((message, error) => {
      if (error) throw error;
      throw new UserError(message.replace(/\n/g, '; '), 'thanos-doctor --help shows what there is');
    })
    .parseAsync();
  return code;
}

function addCommands(cli: Argv, given: readonly string[], end: (code: number) => void): void {
  cli
    .command(
      'diagnose',
      'find the root causes, over all clusters at once',
      builder =>
        ruleOptions(readingOptions(builder))
          .option('format', {
            choices: ['text', 'markdown', 'json'] as const,
            default: 'text' as const,
            requiresArg: true,
            describe: 'what standard output gets',
          })
          .option('output', {
            alias: 'o',
            type: 'array',
            string: true,
            requiresArg: true,
            default: [],
            describe: 'also write this file, any number of times; format by its ending (.md .json .txt)',
          })
          .option('fail-on', {
            choices: FAIL_ON,
            default: 'warning' as const,
            requiresArg: true,
            describe: 'lowest severity that makes the exit code 1',
          })
          .option('all', { type: 'boolean', default: false, describe: 'show every finding and fact' })
          .example('$0 diagnose', 'the current context')
          .example(
            '$0 diagnose --context hub --context edge-1 -o report.md',
            'two clusters, and a report for the ticket',
          )
          .example('$0 diagnose --bundle incident.tar.gz --format json', 'what was saved by collect, as JSON')
          .example('$0 diagnose --only storage --fail-on critical', 'the storage rules; exit 1 for critical ones only'),
      async options => {
        const { runDiagnose } = await import('./commands/diagnose.ts');
        end(await runDiagnose(options as unknown as DiagnoseArguments, given));
      },
    )
    .command(
      'collect',
      'save what a diagnosis would read, redacted, as a bundle',
      builder =>
        liveOptions(builder)
          .option('output', {
            alias: 'o',
            type: 'string',
            demandOption: true,
            requiresArg: true,
            describe: 'folder or .tar.gz to write',
          })
          .example('$0 collect --all-contexts -o incident.tar.gz', 'every context, packed')
          .example('$0 diagnose --bundle incident.tar.gz', 'and the same answer anywhere'),
      async options => {
        const { runCollect } = await import('./commands/collect.ts');
        end(await runCollect(options as never));
      },
    )
    .command(
      'demo',
      'diagnose a recorded incident, served on local ports',
      builder =>
        builder.option('fleet', {
          choices: ['pool-exhausted', 'sidecar-speaks-https'] as const,
          default: 'pool-exhausted' as const,
          requiresArg: true,
          describe: 'which incident',
        }),
      async options => {
        const { runDemo } = await import('./commands/demo.ts');
        end(await runDemo(options as never));
      },
    )
    .command(
      'explain <rule>',
      'what a rule looks for, on what evidence, what may be behind it, and what to do',
      builder =>
        builder
          .positional('rule', { type: 'string', demandOption: true, describe: 'id of a rule' })
          .option('rules', {
            type: 'array',
            string: true,
            requiresArg: true,
            default: [],
            describe: 'folder with own rules',
          })
          .example('$0 explain sidecar-not-uploading', ''),
      async options => {
        const { runExplain } = await import('./commands/explain.ts');
        end(await runExplain(options as never));
      },
    )
    .command(
      'rules',
      'list the rules, or check your own',
      builder =>
        ruleOptions(builder)
          .option('lint', {
            type: 'string',
            requiresArg: true,
            describe: 'check the rules in this folder and say every mistake',
          })
          .option('format', {
            choices: ['text', 'json'] as const,
            default: 'text' as const,
            requiresArg: true,
            describe: 'what standard output gets',
          })
          .example('$0 rules --only storage', '')
          .example('$0 rules --lint ./my-rules', 'every mistake, as file:line:column'),
      async options => {
        const { runRules } = await import('./commands/rules.ts');
        end(await runRules(options as never));
      },
    )
    .command(
      'logs [files..]',
      'say what the known lines in any log mean',
      builder =>
        builder
          .positional('files', {
            type: 'string',
            array: true,
            default: [],
            describe: 'log files; - or none: standard input',
          })
          .option('component', {
            type: 'string',
            requiresArg: true,
            default: 'any',
            describe: 'whose log it is, e.g. thanos-store (default: search for all)',
          })
          .option('format', {
            choices: ['text', 'json'] as const,
            default: 'text' as const,
            requiresArg: true,
            describe: 'what standard output gets',
          })
          .example('kubectl logs thanos-store-0 | $0 logs -', ''),
      async options => {
        const { runLogs } = await import('./commands/logs.ts');
        end(await runLogs(options as never));
      },
    )
    .completion('completion', 'write a completion script for bash or zsh');
}
