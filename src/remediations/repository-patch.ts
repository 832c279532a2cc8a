import { stringify } from 'yaml';
import type { RepositoryPatch, Step, Target } from '../model/remediation.ts';
import type { RawObject } from '../model/source.ts';
import { fitsMergePatch, jsonPatchOf, mergePatchOf } from './changes.ts';
import type { Owned } from './owners.ts';
import { nameOf, sameTarget } from './targets.ts';

/** The configuration changes of a plan as patches for kustomize, for objects that come from a repository. */
export function repositoryPatches(writes: readonly Step[], owned: readonly Owned[]): readonly RepositoryPatch[] {
  return writes.flatMap(step => {
    if (step.do === 'create') {
      const { target } = step;
      const file = `${[target.namespace, target.kind.toLowerCase(), target.name].filter(Boolean).join('-')}.yaml`;
      const why = `${nameOf(target)} is new`;
      return [{ file, text: `# ${step.title}\n${manifestOf(step)}`, why }];
    }
    if (step.do !== 'change' && step.do !== 'edit-text') return [];
    const entry = owned.find(({ target }) => sameTarget(target, step.target));
    if (!entry) return [];
    const { target, object, owner } = entry;
    const file = `${[target.namespace, target.kind.toLowerCase(), target.name].filter(Boolean).join('-')}.patch.yaml`;
    const why =
      owner.is === 'nobody'
        ? `${nameOf(target)} has no other writer that is known`
        : `${owner.who} writes ${nameOf(target)}`;
    const text = `# ${step.title}\n# ${why}\n${bodyOf(step, target, object)}`;
    const { kind, name, namespace } = target;
    return [{ file, text, why, ...(step.do === 'change' ? { of: { kind, name, namespace } } : {}) }];
  });
}

function bodyOf(step: Extract<Step, { do: 'change' | 'edit-text' }>, target: Target, object: RawObject): string {
  if (step.do === 'edit-text') {
    // The whole value may be a credential in clear: the line has to be changed where the value comes from.
    const lines = step.edit.lines.map(({ path, before, after }) => {
      const old = before === undefined ? 'add' : `replace \`${path.at(-1)}: ${before}\` by`;
      return `# under ${path.slice(0, -1).join('.')}: ${old} \`${path.at(-1)}: ${after}\`\n`;
    });
    const where = `Where key ${step.edit.key} of ${nameOf(target)} is made,`;
    const why = target.kind === 'Secret' ? 'the value holds credentials' : 'the value is one text';
    return `# Not a patch, because ${why}. ${where}\n${lines.join('')}`;
  }
  if (!fitsMergePatch(step.changes)) return stringify(jsonPatchOf(object, step.changes), { lineWidth: 0 });
  return stringify(
    {
      apiVersion: object.apiVersion,
      kind: object.kind ?? target.kind,
      metadata: { name: target.name, ...(target.namespace ? { namespace: target.namespace } : {}) },
      ...mergePatchOf(step.changes),
    },
    { lineWidth: 0 },
  );
}

/** An object that a step creates, as it could stand in a repository. */
export function manifestOf({ target, object }: Extract<Step, { do: 'create' }>): string {
  const { apiVersion, metadata, ...rest } = object;
  return stringify(
    {
      apiVersion,
      kind: target.kind,
      metadata: { name: target.name, ...(target.namespace ? { namespace: target.namespace } : {}), ...metadata },
      ...rest,
    },
    { lineWidth: 0 },
  );
}

/** A kustomization that applies the patches; '' where there is none to apply. */
export function kustomizationOf(patches: readonly RepositoryPatch[]): string {
  const applied = patches.filter(({ of }) => of !== undefined);
  if (applied.length === 0) return '';
  return stringify({
    apiVersion: 'kustomize.config.k8s.io/v1alpha1',
    kind: 'Component',
    patches: applied.map(({ file, of }) => ({
      path: file,
      target: { kind: of!.kind, name: of!.name, ...(of!.namespace ? { namespace: of!.namespace } : {}) },
    })),
  });
}
