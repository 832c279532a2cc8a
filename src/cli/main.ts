import yargs from 'yargs';
import { hideBin } from 'yargs/helpers';
import { UserError } from '../model/user-error.ts';

/** Exit codes, the same for every command and format. */
const EXIT = { healthy: 0, problems: 1, usage: 2, unknown: 3 } as const;

/** Runs the command line. Resolves to the exit code. */
export async function main(argv: readonly string[]): Promise<number> {
  let code: number = EXIT.healthy;
  try {
    await yargs(hideBin([...argv]))
      .scriptName('thanos-doctor')
      .command(
        'diagnose',
        'find the root cause',
        builder =>
          builder
            .option('bundle', { type: 'string' })
            .option('rules', { type: 'array', string: true, default: [] })
            .option('format', { type: 'string', default: 'json' }),
        async argumentsGiven => {
          const { openBundle } = await import('../app/open-bundle.ts');
          const { diagnoseFleet, NO_EXPECTATIONS } = await import('../app/diagnose.ts');
          const { allRules } = await import('../app/rule-files.ts');
          const sources = await openBundle(argumentsGiven.bundle ?? '');
          const report = await diagnoseFleet(sources, {
            rules: allRules(argumentsGiven.rules),
            expectations: NO_EXPECTATIONS,
            fleet: '',
            concurrency: 16,
            version: '0.1.0',
            command: argv.slice(2).join(' '),
          });
          process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
          code = EXIT[report.verdict];
        },
      )
      .strict()
      .fail((message, error) => {
        throw error ?? new UserError(message ?? 'unusable arguments');
      })
      .parseAsync();
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    process.stderr.write([`thanos-doctor: ${error.message}`, ...error.hints.map(hint => `  ${hint}`)].join('\n') + '\n');
    return EXIT.usage;
  }
  return code;
}
