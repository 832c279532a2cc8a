import type { Plan, RepositoryPatch } from '../model/remediation.ts';
import { kustomizationOf } from '../remediations/repository-patch.ts';

/** Guards of writing now, by this program: a patch goes another way, at another time. */
const OF_THE_WRITE: ReadonlySet<string> = new Set([
  'may-write',
  'dry-run-accepted',
  'owner-known',
  'not-gitops',
  'no-other-change-running',
  'not-in-the-middle',
  'budget',
  'cool-down',
  'no-second-doctor',
]);

/** Why what plans would change is not safe, whoever writes it and whenever; one line for each guard. */
export function refusedPatches(plans: readonly Plan[]): readonly string[] {
  return plans.flatMap(({ rule, cluster, guards }) =>
    guards
      .filter(({ id, result }) => result !== 'passed' && !OF_THE_WRITE.has(id))
      .map(({ id, detail }) => `refused: a patch for ${rule} in ${cluster}: ${id}: ${detail}`),
  );
}

/**
 * Files for the repository that the objects come from, by name: a patch for each, and a kustomization that applies them;
 * of several clusters, each in a folder of its own.
 */
export function emittedFiles(plans: readonly Plan[]): ReadonlyMap<string, string> {
  const clusters = [...new Set(plans.map(({ cluster }) => cluster))];
  const files = new Map<string, string>();
  for (const cluster of clusters) {
    const folder = clusters.length > 1 ? `${cluster.replace(/[^A-Za-z0-9.-]/g, '_')}/` : '';
    const patches = underOwnNames(plans.filter(plan => plan.cluster === cluster).flatMap(plan => plan.patches));
    for (const { file, text } of patches) files.set(`${folder}${file}`, text);
    const kustomization = kustomizationOf(patches);
    if (kustomization) files.set(`${folder}kustomization.yaml`, kustomization);
  }
  return files;
}

/** One file holds one patch: a list of operations and a second one after it are no patch. */
function underOwnNames(patches: readonly RepositoryPatch[]): readonly RepositoryPatch[] {
  const named = new Map<string, RepositoryPatch>();
  for (const patch of patches) {
    if ([...named.values()].some(({ text }) => text === patch.text)) continue;
    let file = patch.file;
    for (let number = 2; named.has(file); number += 1) file = patch.file.replace('.', `-${number}.`);
    named.set(file, { ...patch, file });
  }
  return [...named.values()];
}
