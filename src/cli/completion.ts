import { basename } from 'node:path';
import type { KnownOptions } from './usage-mistakes.ts';

/** The hidden first word by which a completion script asks: `--complete SHELL WORDS…`, the last one being typed. */
export const COMPLETE = '--complete';

export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

/** What of yargs is asked; its own types leave it out. */
export interface CompletedParser {
  getOptions(): KnownOptions & {
    readonly alias: Readonly<Record<string, readonly string[]>>;
    readonly choices: Readonly<Record<string, readonly string[] | undefined>>;
    readonly default: Readonly<Record<string, unknown>>;
  };
  getGroups(): Readonly<Record<string, readonly string[]>>;
  getInternalMethods(): {
    getCommandInstance(): { getCommandHandlers(): Readonly<Record<string, { builder(parser: unknown): void }>> };
    getUsageInstance(): {
      getCommands(): readonly (readonly [string, string, ...unknown[]])[];
      getDescriptions(): Readonly<Record<string, string | undefined>>;
    };
    reset(): CompletedParser;
  };
}

interface Candidate {
  readonly name: string;
  readonly about: string;
}

/** The lines that a completion script reads: for zsh and fish each with its description. */
export async function completions(
  [shell = 'bash', ...words]: readonly string[],
  cli: CompletedParser,
): Promise<readonly string[]> {
  const typed = split(words);
  const candidates = await candidatesFor(typed, cli);
  const fitting = candidates.filter(({ name }) => name.startsWith(typed.at(-1)!));
  if (shell === 'fish') {
    // Fish takes the whole word: the option too, where its value stands behind an equals sign.
    const [option = ''] = /^--[^=]+=/.exec(words.at(-1) ?? '') ?? [];
    return fitting.map(({ name, about }) => `${option}${name}${about ? `\t${about}` : ''}`);
  }
  if (shell !== 'zsh') return fitting.map(({ name }) => name);
  return fitting.map(({ name, about }) => name.replaceAll(':', '\\:') + (about ? `:${about}` : ''));
}

/** Bash takes `--format=json` apart at the equals sign; both forms are two words here. */
function split(words: readonly string[]): readonly string[] {
  const parts = words.flatMap(word => {
    const [, option, value] = /^(--[^=]+)=(.*)$/s.exec(word) ?? [];
    return option === undefined ? [word] : [option, value!];
  });
  const kept = parts.filter(word => word !== '=');
  return parts.at(-1) === '=' || kept.length === 0 ? [...kept, ''] : kept;
}

async function candidatesFor(words: readonly string[], cli: CompletedParser): Promise<readonly Candidate[]> {
  const handlers = cli.getInternalMethods().getCommandInstance().getCommandHandlers();
  const current = words.at(-1)!;
  const command = words.slice(0, -1).find(word => handlers[word]);
  if (!command) {
    if (current.startsWith('-')) return optionNames(cli, words);
    const commands = cli.getInternalMethods().getUsageInstance().getCommands();
    return commands.map(([usage, about]) => ({ name: usage.replace(/^\$0\s+/, '').split(' ')[0]!, about }));
  }
  const inner = cli.getInternalMethods().reset();
  handlers[command]!.builder(inner);
  const option = optionNamed(words.at(-2) ?? '', inner);
  if (option && !inner.getOptions().boolean.includes(option)) return valuesOf(option, inner);
  if (current.startsWith('-')) return optionNames(inner, words);
  const [positional] = Object.entries(inner.getGroups()).find(([group]) => group === 'Positionals:')?.[1] ?? [];
  return positional ? valuesOf(positional, inner) : optionNames(inner, words);
}

function optionNamed(word: string, parser: CompletedParser): string | undefined {
  if (!word.startsWith('-')) return undefined;
  const { key, alias } = parser.getOptions();
  const bare = word.replace(/^--?/, '');
  return Object.keys(key).find(name => name === bare || alias[name]?.includes(bare));
}

async function valuesOf(name: string, parser: CompletedParser): Promise<readonly Candidate[]> {
  const choices = parser.getOptions().choices[name];
  if (choices && choices.length > 0) return choices.map(choice => ({ name: choice, about: '' }));
  const { completionValues } = await import('../app/completion-values.ts');
  return (await completionValues(name)).map(value => ({ name: value, about: '' }));
}

function optionNames(parser: CompletedParser, words: readonly string[]): readonly Candidate[] {
  const options = parser.getOptions();
  const about = parser.getInternalMethods().getUsageInstance().getDescriptions();
  const positionals = parser.getGroups()['Positionals:'] ?? [];
  return Object.keys(options.key)
    .filter(name => name.length > 1 && !positionals.includes(name))
    .map(name => ({
      name: options.boolean.includes(name) && options.default[name] === true ? `--no-${name}` : `--${name}`,
      about: (about[name] ?? '').replace('__yargsString__:', ''),
      repeats: options.array.includes(name),
    }))
    .filter(({ name, repeats }) => repeats || !words.slice(0, -1).includes(name));
}

/** The script that makes a shell ask for candidates. Where there are none, the shell offers files. */
export function completionScript(shell: Shell | undefined): string {
  const own = SHELLS.find(name => name === basename(process.env.SHELL ?? ''));
  return { bash: BASH, zsh: ZSH, fish: FISH }[shell ?? own ?? 'bash'];
}

const BASH = `# Completion of thanos-doctor for bash: source <(thanos-doctor completion bash)
_thanos_doctor() {
  local IFS=$'\\n'
  COMPREPLY=($(thanos-doctor ${COMPLETE} bash "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null))
  if declare -F __ltrim_colon_completions >/dev/null; then
    __ltrim_colon_completions "\${COMP_WORDS[COMP_CWORD]}"
  fi
}
complete -o bashdefault -o default -F _thanos_doctor thanos-doctor
`;

const ZSH = `#compdef thanos-doctor
# Completion of thanos-doctor for zsh: source <(thanos-doctor completion zsh)
_thanos_doctor() {
  local -a candidates
  candidates=("\${(@f)$(thanos-doctor ${COMPLETE} zsh "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  # A value behind an equals sign is completed by itself.
  [[ "$PREFIX" == --*=* ]] && compset -P '*='
  if [[ -n "$candidates" ]]; then
    _describe 'thanos-doctor' candidates
  else
    _files
  fi
}
if [[ "\${zsh_eval_context[-1]}" == loadautofunc ]]; then
  _thanos_doctor "$@"
else
  compdef _thanos_doctor thanos-doctor
fi
`;

const FISH = `# Completion of thanos-doctor for fish: thanos-doctor completion fish | source
function __thanos_doctor_complete
  set -l words (commandline -opc)
  set -l candidates (thanos-doctor ${COMPLETE} fish $words[2..-1] (commandline -ct) 2>/dev/null)
  if test (count $candidates) -gt 0
    printf '%s\\n' $candidates
  else
    __fish_complete_path (commandline -ct)
  end
end
complete -c thanos-doctor -f -a '(__thanos_doctor_complete)'
`;
