import type { Plan } from '../model/remediation.ts';
import { kustomizationOf } from '../remediations/repository-patch.ts';

/** Files for the repository that the objects come from, by name: a patch for each, and a kustomization that applies them. */
export function emittedFiles(plans: readonly Plan[]): ReadonlyMap<string, string> {
  const patches = plans.flatMap(plan => plan.patches);
  const files = new Map<string, string>();
  for (const { file, text } of patches) files.set(file, files.has(file) ? `${files.get(file)}---\n${text}` : text);
  const kustomization = kustomizationOf(patches);
  if (kustomization) files.set('kustomization.yaml', kustomization);
  return files;
}
