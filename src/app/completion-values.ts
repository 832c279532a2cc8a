import { readKubeconfig } from '../clusters/kubeconfig.ts';
import { LOG_COMPONENTS } from '../evidence/logs/signature-file.ts';
import type { Rule } from '../model/rule.ts';
import { RUNBOOKS } from '../remediations/runbooks.ts';
import { builtinRules } from './rule-files.ts';

/** Values that a shell offers for an option or argument of that name; empty where they are files, or anything. */
export async function completionValues(name: string): Promise<readonly string[]> {
  switch (name) {
    case 'rule':
      return builtinRules().map(rule => rule.id);
    case 'finding':
      return builtinRules()
        .filter(({ fix }) => fix.automatic.length > 0)
        .map(rule => rule.id);
    case 'scenario':
      return RUNBOOKS.map(runbook => runbook.id);
    case 'only':
    case 'skip':
      return selectors(builtinRules());
    case 'component':
      return LOG_COMPONENTS;
    case 'context':
      return contexts();
    default:
      return [];
  }
}

function selectors(rules: readonly Rule[]): readonly string[] {
  return [...new Set(rules.flatMap(rule => [rule.folder, ...rule.tags, rule.id]))];
}

async function contexts(): Promise<readonly string[]> {
  try {
    return [...(await readKubeconfig(undefined, process.env)).contexts.keys()];
  } catch {
    // A shell that completes is no place to complain about a kubeconfig.
    return [];
  }
}
