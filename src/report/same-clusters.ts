import type { Finding } from '../model/finding.ts';
import type { Report } from '../model/report.ts';

const WORD = /(?:'[^']*'|\\'|[^\s'])+/g;
const WITH_VALUE = new Set(['--context', '--kubeconfig', '--fleet', '--namespace', '-n']);

/** So many contexts are a line that can still be read. */
const CONTEXTS = 8;

/**
 * The options by which a further command reads the clusters of this run: those that the run was given; after a bundle
 * or a recorded incident, their contexts (where they are too many, those of the findings' clusters), so that nothing
 * else is read in their place. '' where it finds them without any.
 */
export function sameClusters({ run, clusters }: Report, findings: readonly Finding[]): string {
  const words = run.command.match(WORD) ?? [];
  if (words[1] === 'demo' || words.some(word => /^(?:--bundle|-b)(?:=|$)/.test(word))) {
    const own = clusters.filter(({ name }) => findings.some(({ cluster }) => cluster === name));
    const named = own.length > 0 && clusters.length > CONTEXTS ? own : clusters;
    const contexts = named.map(({ context }) => context).filter(context => context !== '');
    return contexts.map(context => ` --context ${quoted(context)}`).join('');
  }
  if (words[1] !== 'diagnose') return '';
  return words
    .flatMap((word, at) => {
      if (word === '--all-contexts' || (WITH_VALUE.has(word.split('=')[0]!) && word.includes('='))) return [` ${word}`];
      return WITH_VALUE.has(word) && words[at + 1] !== undefined ? [` ${word} ${words[at + 1]}`] : [];
    })
    .join('');
}

/** What the run was not asked to show yet. */
export function notAskedFor({ run }: Report, all: boolean): readonly string[] {
  const words = run.command.match(WORD) ?? [];
  if (words[1] === 'demo') return [];
  const writes = words.some(word => /^(?:--output|-o)(?:=|$)/.test(word));
  return [...(all ? [] : ['--all']), ...(writes ? [] : ['-o report.md'])];
}

function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
