import type { Argv } from 'yargs';
import { UserError } from '../model/user-error.ts';
import type { DiagnoseArguments } from './commands/diagnose.ts';
import type { CompletedParser } from './completion.ts';
import { EXIT } from './exit-codes.ts';
import { fixingOptions, fixOptions } from './fix-options.ts';
import { CLUSTER_OPTIONS, FAIL_ON, liveOptions, readingOptions, ruleOptions, withOptions } from './options.ts';
import { swallowClosedPipes } from './standard-streams.ts';
import {
  checkGiven,
  explained,
  type FailedParser,
  type KnownOptions,
  NO_COMMAND,
  UsageMistake,
  usageMistake,
} from './usage-mistakes.ts';

const EXIT_CODES = {
  0: 'healthy, as far as looked',
  1: 'problems at or above --fail-on',
  2: 'a mistake in the command, a file or a rule',
  3: 'no problem found, but something could not be read',
  4: 'a fix was refused, failed, or could not be verified',
  130: 'stopped by Ctrl-C; what was read until then is reported',
} as const;

/** What stands under the help of a command: its exit codes, in words of its own where it has some. */
function exitCodes(words: Readonly<Record<number, string>> = EXIT_CODES): string {
  const lines = Object.entries(words).map(([code, meaning]) => `  ${code.padStart(3)}  ${meaning}`);
  return ['Exit codes:', ...lines].join('\n');
}

/** Runs the command line (`process.argv` whole). Resolves to the exit code; nothing is thrown. */
export async function main(argv: readonly string[]): Promise<number> {
  const given = argv.slice(2);
  swallowClosedPipes();
  try {
    if (given[0] === '--complete') return await complete(given.slice(1));
    if (asksForVersion(given)) {
      const { version } = await import('../app/version.ts');
      process.stdout.write(`${version()}\n`);
      return EXIT.healthy;
    }
    return await run(given);
  } catch (error) {
    process.stderr.write(await errorText(error instanceof UsageMistake ? await explained(error) : error));
    return EXIT.usage;
  }
}

function asksForVersion(given: readonly string[]): boolean {
  const words = given.includes('--') ? given.slice(0, given.indexOf('--')) : given;
  return words.includes('--version') || words.includes('-V');
}

async function errorText(error: unknown): Promise<string> {
  const { bugText, userErrorText } = await import('../report/errors.ts');
  if (error instanceof UserError) return userErrorText(error);
  const { version } = await import('../app/version.ts');
  const platform = `Node ${process.version} on ${process.platform} ${process.arch}`;
  return bugText(error, { version: version(), platform });
}

async function run(given: readonly string[]): Promise<number> {
  let code: number = EXIT.healthy;
  const cli = await commandLineOf(given, value => {
    code = value;
  });
  await cli
    .demandCommand(1, NO_COMMAND)
    .strict()
    .example('$0 demo', 'see it work on a recorded incident')
    .example('$0 diagnose --all-contexts', 'all clusters of your kubeconfig')
    .epilogue(exitCodes())
    .check((options, known) => {
      checkGiven(given, options, known as unknown as KnownOptions);
      return true;
    })
    .wrap(Math.min(110, process.stdout.columns ?? 100))
    .fail((message, error) => {
      if (error && error.name !== 'YError') throw error;
      throw usageMistake(message ?? error.message, given, cli as unknown as FailedParser);
    })
    .parseAsync();
  return code;
}

/** What a shell may offer for the words typed so far. */
async function complete(words: readonly string[]): Promise<number> {
  const { completions } = await import('./completion.ts');
  const cli = await commandLineOf([], () => {});
  for (const line of await completions(words, cli as unknown as CompletedParser)) process.stdout.write(`${line}\n`);
  return EXIT.healthy;
}

/** All commands and the options that each of them has. */
async function commandLineOf(given: readonly string[], end: (code: number) => void): Promise<Argv> {
  const { default: yargs } = await import('yargs');
  const cli = yargs([...given])
    .scriptName('thanos-doctor')
    .locale('en')
    .usage(
      '$0 COMMAND [options]\n\nFinds the root cause when Thanos and Prometheus monitoring across Kubernetes clusters breaks.',
    )
    .exitProcess(false)
    .parserConfiguration({
      'camel-case-expansion': false,
      'dot-notation': false,
      'duplicate-arguments-array': true,
      'greedy-arrays': false,
      'parse-positional-numbers': false,
    })
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
      describe: 'say what is being read, a line a phase; explain and logs: leave nothing out',
    })
    .alias('help', 'h')
    .version(false)
    .option('version', { alias: 'V', type: 'boolean', describe: 'say the version' });
  addCommands(cli as unknown as Argv, given, end);
  return cli as unknown as Argv;
}

function addCommands(cli: Argv, given: readonly string[], end: (code: number) => void): void {
  cli
    .command(
      'diagnose',
      'find the root causes, over all clusters at once',
      builder =>
        fixingOptions(ruleOptions(readingOptions(builder)))
          .option('fix', {
            type: 'boolean',
            default: false,
            describe: 'after the report, offer a fix for each root cause that has one',
          })
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
          .example('$0 diagnose --only storage --fail-on critical', 'the storage rules; exit 1 for critical ones only')
          .example('$0 diagnose --fix', 'shows each change before it asks')
          .epilogue(exitCodes()),
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
          .example('$0 diagnose --bundle incident.tar.gz', 'and the same answer anywhere')
          .epilogue(
            exitCodes({
              0: 'the bundle is written; reads that failed are listed in it',
              2: EXIT_CODES[2],
              3: 'the bundle is written, but a cluster did not answer at all',
              130: 'stopped by Ctrl-C; what was read until then is in the bundle',
            }),
          ),
      async options => {
        const { runCollect } = await import('./commands/collect.ts');
        end(await runCollect(options as never));
      },
    )
    .command(
      'fix [finding]',
      'mend a root cause: show the change, ask, apply, verify; or undo it',
      builder =>
        fixOptions(fixingOptions(liveOptions(builder)))
          .example('$0 fix object-store-speaks-http', 'shows the change, asks, verifies')
          .example('$0 fix object-store-speaks-http --plan -o plan.json', 'only the plan, with its digest')
          .example('$0 fix object-store-speaks-http --confirm DIGEST', 'exactly that plan, or nothing')
          .example('$0 fix --undo 20261123-081301-4f1a', 'takes it back')
          .epilogue(
            exitCodes({
              0: 'fixed, or shown',
              1: 'declined',
              2: EXIT_CODES[2],
              4: EXIT_CODES[4],
              130: 'stopped by Ctrl-C; fix --resume goes on',
            }),
          ),
      async options => {
        const { runFix } = await import('./commands/fix.ts');
        end(await runFix({ ...(options as object), bundle: undefined } as never));
      },
    )
    .command(
      'recover [scenario]',
      'go through a procedure for an emergency, each step checked before the next; or list them',
      builder =>
        fixingOptions(withOptions(liveOptions(builder), 'rules'))
          .positional('scenario', { type: 'string', describe: 'which one; without it they are listed' })
          .example('$0 recover', 'which emergencies there are procedures for')
          .example('$0 recover full-outage', 'what to mend first, and what after it')
          .epilogue(
            exitCodes({
              0: 'every step is in order, or the list is shown',
              2: EXIT_CODES[2],
              4: 'it stopped at a step',
              130: EXIT_CODES[130],
            }),
          ),
      async options => {
        const { runRecover } = await import('./commands/recover.ts');
        end(await runRecover({ ...(options as object), bundle: undefined } as never));
      },
    )
    .command(
      'demo',
      'diagnose a recorded incident, served on local ports',
      builder =>
        builder
          .option('fleet', {
            choices: ['pool-exhausted', 'sidecar-speaks-https'] as const,
            default: 'pool-exhausted' as const,
            requiresArg: true,
            describe: 'which incident',
          })
          .example('$0 demo', 'the report on the screen, report.md and report.json in this folder')
          .example('$0 demo --fleet sidecar-speaks-https', 'the other incident')
          .epilogue(exitCodes({ 0: 'the incident was found', 1: 'it was not', 2: EXIT_CODES[2] })),
      async options => {
        const { runDemo } = await import('./commands/demo.ts');
        end(await runDemo(options as never));
      },
    )
    .command(
      'explain <rule>',
      'what a rule looks for, on what evidence, what may be behind it, and what to do',
      builder =>
        withOptions(builder, 'rules', 'fleet')
          .positional('rule', { type: 'string', demandOption: true, describe: 'id of a rule' })
          .example('$0 explain sidecar-not-uploading', 'on one screen')
          .example('$0 explain my-rule --rules ./my-rules', 'a rule of your own')
          .epilogue(exitCodes(LOOKED_UP)),
      async options => {
        const { runExplain } = await import('./commands/explain.ts');
        end(await runExplain(options as never));
      },
    )
    .command(
      'rules',
      'list the rules, or check your own',
      builder =>
        withOptions(ruleOptions(builder), 'format')
          .option('lint', {
            type: 'string',
            requiresArg: true,
            describe: 'check the rules in this folder and say every mistake',
          })
          .example('$0 rules --only storage', 'those about storage')
          .example('$0 rules --lint ./my-rules', 'every mistake, as file:line:column')
          .epilogue(exitCodes(LOOKED_UP)),
      async options => {
        const { runRules } = await import('./commands/rules.ts');
        end(await runRules(options as never));
      },
    )
    .command(
      'logs [files..]',
      'say what the known lines in any log mean, of files or of pods',
      builder =>
        withOptions(builder, ...CLUSTER_OPTIONS, 'bundle', 'namespace', 'since', 'timeout', 'format')
          .positional('files', {
            type: 'string',
            array: true,
            default: [],
            describe: 'log files; - or none: standard input; pod/NAME: what a pod has logged, now and before',
          })
          .option('container', {
            alias: 'c',
            type: 'string',
            requiresArg: true,
            describe: 'only this container of a pod',
          })
          .option('component', {
            type: 'string',
            requiresArg: true,
            default: 'any',
            describe: 'whose log it is, e.g. thanos-store (default: of a pod what it runs, else search for all)',
          })
          .example('kubectl logs thanos-store-0 | $0 logs -', 'from a pipe')
          .example('$0 logs --component prometheus prometheus.log', 'from a file')
          .example('$0 logs --context hub -n monitoring pod/thanos-store-0', 'from a cluster, the run before too')
          .epilogue(
            exitCodes({
              0: 'no line means trouble',
              1: 'a line does',
              2: EXIT_CODES[2],
              3: 'none does, but a log could not be read, or is empty',
            }),
          ),
      async options => {
        const { runLogs } = await import('./commands/logs.ts');
        end(await runLogs(options as never));
      },
    )
    .command(
      'why-not-scraped <name>',
      'what keeps a Service or monitor from being scraped, or a rule from being evaluated',
      builder =>
        withOptions(builder, ...CLUSTER_OPTIONS, 'bundle', 'timeout', 'concurrency', 'port-forward', 'format')
          .positional('name', {
            type: 'string',
            demandOption: true,
            describe:
              '[kind/][namespace/]name of a Service, ServiceMonitor, PodMonitor, Probe, ScrapeConfig, PrometheusRule or AlertmanagerConfig',
          })
          .example('$0 why-not-scraped shop/checkout', 'the Service, and the monitors that name it')
          .example('$0 why-not-scraped podmonitor/shop/checkout --context edge-1', 'one kind, in one cluster')
          .example('$0 why-not-scraped prometheusrule/shop-alerts --bundle incident.tar.gz', 'from a bundle')
          .epilogue(
            exitCodes({
              0: 'it is scraped, evaluated or taken',
              1: 'it is not, or not all of it',
              2: EXIT_CODES[2],
              3: 'what decides it could not be read',
              130: 'stopped by Ctrl-C',
            }),
          ),
      async options => {
        const { runWhyNotScraped } = await import('./commands/why-not-scraped.ts');
        end(await runWhyNotScraped(options as never));
      },
    )
    .command(
      'completion [shell]',
      'write a completion script for bash, zsh or fish',
      builder =>
        builder
          .positional('shell', { choices: ['bash', 'zsh', 'fish'] as const, describe: 'default: the one in $SHELL' })
          .example('source <($0 completion bash)', 'for this shell; in ~/.bashrc for every one')
          .example('source <($0 completion zsh)', 'the same in ~/.zshrc')
          .example('$0 completion fish | source', 'the same in ~/.config/fish/config.fish')
          .epilogue(exitCodes(LOOKED_UP)),
      async options => {
        const { completionScript } = await import('./completion.ts');
        process.stdout.write(completionScript(options.shell));
      },
    );
}

const LOOKED_UP = { 0: 'there it is', 2: EXIT_CODES[2] };
