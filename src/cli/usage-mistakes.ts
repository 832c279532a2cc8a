import { UserError } from '../model/user-error.ts';

/** What yargs knows of the options in force. */
export interface KnownOptions {
  readonly key: Readonly<Record<string, unknown>>;
  readonly array: readonly string[];
  readonly boolean: readonly string[];
  readonly number: readonly string[];
}

/** What yargs says of itself; its own types leave it out. */
export interface FailedParser {
  getOptions(): KnownOptions;
  getInternalMethods(): {
    getContext(): { readonly commands: readonly string[] };
    getUsageInstance(): {
      getCommands(): readonly (readonly [string, ...unknown[]])[];
      getUsage(): readonly (readonly [string, ...unknown[]])[];
    };
  };
}

/** A mistake in the command line, and the names that may have been meant. */
export class UsageMistake extends Error {
  readonly hints: readonly string[];
  /** The name that does not exist, and those that do. */
  readonly wanted: string;
  readonly names: readonly string[];

  constructor(message: string, hints: readonly string[] = [], wanted = '', names: readonly string[] = []) {
    super(message);
    this.hints = hints;
    this.wanted = wanted;
    this.names = names;
  }
}

/** The mistake as it is said, with the nearest name that exists. */
export async function explained(mistake: UsageMistake): Promise<UserError> {
  if (mistake.names.length === 0) return new UserError(mistake.message, ...mistake.hints);
  // The measure of likeness lies with the rules; it is loaded only for somebody who mistyped.
  const { suggest } = await import('../app/suggest.ts');
  return new UserError(mistake.message + suggest(mistake.wanted, mistake.names), ...mistake.hints);
}

/** A message of yargs in our words: what, where, what to do. */
export function usageMistake(message: string, given: readonly string[], parser: FailedParser): UsageMistake {
  const internals = parser.getInternalMethods();
  const [command = ''] = internals.getContext().commands;
  const see = `thanos-doctor ${command ? `${command} ` : ''}--help shows what there is`;
  const unknown = /^Unknown (?:argument|command)s?: (.*)$/s.exec(message)?.[1];
  if (unknown !== undefined) {
    const names = unknown.split(', ');
    const word = names.find(name => !given.some(written => isOption(written, name)));
    if (command === '' && word !== undefined) return unknownCommand(word, parser, see);
    return unknownName(names[0]!, command, given, parser, see);
  }
  const lacking = /^Not enough arguments following: (.*)$/.exec(message)?.[1];
  if (lacking !== undefined) return new UsageMistake(`the option ${dashed(lacking)} needs a value`, [see]);
  const missing = /^Missing required arguments?: (.*)$/.exec(message)?.[1];
  if (missing !== undefined) return new UsageMistake(`the option ${dashed(missing)} is missing`, [see]);
  const [, option, values, choices] = /Argument: (\S+), Given: (.*), Choices: (.*)/.exec(message) ?? [];
  if (option !== undefined) {
    const wanted = values!.replaceAll('"', '');
    const names = choices!.replaceAll('"', '');
    const taker = given.some(word => isOption(word, option)) ? `the option ${dashed(option)}` : command;
    return new UsageMistake(
      `${taker} does not take ${JSON.stringify(wanted)}`,
      [`it takes: ${names}`],
      wanted,
      names.split(', '),
    );
  }
  if (/^Not enough non-option/.test(message)) {
    const [usage = ''] = internals.getUsageInstance().getUsage()[0] ?? [];
    return new UsageMistake(`${command} lacks an argument`, [`usage: ${usage.replace('$0', 'thanos-doctor')}`, see]);
  }
  if (message === NO_COMMAND) return new UsageMistake(message, [`commands: ${commandsOf(parser).join(', ')}`, see]);
  return new UsageMistake(message.replace(/\s*\n\s*/g, '; '), [see]);
}

export const NO_COMMAND = 'no command was given';

function unknownName(
  name: string,
  command: string,
  given: readonly string[],
  parser: FailedParser,
  see: string,
): UsageMistake {
  const written = given.find(word => isOption(word, name));
  if (written) {
    const option = written.split('=')[0]!;
    return new UsageMistake(
      `there is no option ${option}${command ? ` of ${command}` : ''}`,
      [see],
      option,
      option.startsWith('--') ? Object.keys(parser.getOptions().key).map(dashed) : [],
    );
  }
  const before = given.slice(0, given.indexOf(name));
  const option = before.findLast(word => word.startsWith('-'))?.split('=')[0] ?? '';
  const repeatable = parser.getOptions().array.includes(option.replace(/^--?/, ''));
  return new UsageMistake(`${command} does not know what to do with "${name}"`, [
    ...(repeatable ? [`for a further value repeat the option: ${option} ${name}`] : []),
    see,
  ]);
}

function unknownCommand(name: string, parser: FailedParser, see: string): UsageMistake {
  const commands = commandsOf(parser);
  return new UsageMistake(`there is no command "${name}"`, [`commands: ${commands.join(', ')}`, see], name, commands);
}

/** Whether `word` of the command line is the option that yargs calls `name`. */
function isOption(word: string, name: string): boolean {
  if (!word.startsWith('-')) return false;
  const bare = word.replace(/^--?/, '').split('=')[0]!;
  return bare === name || bare === `no-${name}` || (!word.startsWith('--') && bare.includes(name));
}

function commandsOf(parser: FailedParser): readonly string[] {
  const commands = parser.getInternalMethods().getUsageInstance().getCommands();
  return commands.map(([usage]) => usage.replace(/^\$0\s+/, '').split(' ')[0]!);
}

/** `-o` for one letter, `--output` for more. */
function dashed(name: string): string {
  return name.length === 1 ? `-${name}` : `--${name}`;
}

/** What yargs lets pass: options given twice, empty or negated values, numbers that are none, odd booleans. */
export function checkGiven(given: readonly string[], options: Readonly<Record<string, unknown>>, known: KnownOptions) {
  for (const word of given) {
    if (word === '--') break;
    const [, name, value] = /^--(?:no-)?([^=]+)=(.*)$/.exec(word) ?? [];
    if (name && known.boolean.includes(name) && value !== 'true' && value !== 'false')
      throw new UsageMistake(`the option --${name} takes no value`, [`write --${name} or --no-${name}`]);
  }
  for (const name of Object.keys(known.key)) {
    if (known.boolean.includes(name)) continue;
    const value = options[name];
    if (Array.isArray(value) && !known.array.includes(name))
      throw new UsageMistake(`the option ${dashed(name)} is given ${value.length} times`, ['it can be given once']);
    const values = Array.isArray(value) ? value : [value];
    if (values.includes(false)) throw new UsageMistake(`there is no option --no-${name}`);
    if (values.includes('')) throw new UsageMistake(`the option ${dashed(name)} needs a value`);
    if (value !== undefined && known.number.includes(name) && !(Number.isFinite(value) && (value as number) > 0))
      throw new UsageMistake(`the option ${dashed(name)} needs a number above 0`);
  }
  const [, ...words] = (options._ ?? []) as readonly unknown[];
  if (words.length > 0) throw new UsageMistake(`the command line has a word too many: "${words[0]}"`);
}
