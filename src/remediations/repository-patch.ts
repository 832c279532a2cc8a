import { stringify } from 'yaml';
import type { Change, RepositoryPatch, Step, Target } from '../model/remediation.ts';
import type { RawObject } from '../model/source.ts';
import { canonical, fitsMergePatch, jsonPatchOf, mergePatchOf, same } from './changes.ts';
import type { Owned } from './owners.ts';
import { nameOf, sameTarget } from './targets.ts';

/** The configuration changes of a plan as patches for kustomize, for objects that come from a repository. */
export function repositoryPatches(writes: readonly Step[], owned: readonly Owned[]): readonly RepositoryPatch[] {
  return lasting(writes).flatMap(step => {
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
    const { group, name, namespace } = target;
    const of = { ...(group ? { group } : {}), kind: String(object.kind ?? target.kind), name, namespace };
    return [{ file, text, why, ...(step.do === 'change' ? { of } : {}) }];
  });
}

/** What stays of the steps: several changes of an object are one, and what a later step takes back is none. */
function lasting(writes: readonly Step[]): readonly Step[] {
  const deleted = writes.flatMap(step => (step.do === 'delete-created' ? [step.target] : []));
  const kept: Step[] = [];
  for (const step of writes) {
    if (step.do === 'create' && deleted.some(target => sameTarget(target, step.target))) continue;
    const place = kept.findIndex(
      one => one.do === 'change' && step.do === 'change' && sameTarget(one.target, step.target),
    );
    const earlier = kept[place];
    if (earlier?.do === 'change' && step.do === 'change')
      kept[place] = { ...earlier, changes: joined(earlier.changes, step.changes) };
    else kept.push(step);
  }
  return kept.filter(step => step.do !== 'change' || step.changes.length > 0);
}

function joined(earlier: readonly Change[], later: readonly Change[]): readonly Change[] {
  const byPath = new Map<string, Change>();
  for (const change of [...earlier, ...later]) {
    const key = canonical(change.path);
    const { before: _between, ...last } = change;
    const first = byPath.get(key) ?? change;
    byPath.set(key, { ...last, ...(first.before === undefined ? {} : { before: first.before }) });
  }
  // A field that was absent, and is false in the end, is as it was to whoever reads it.
  return [...byPath.values()].filter(({ before, after }) => !same(before ?? false, after ?? false));
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

/** A kustomization that applies the patches and adds what is new; '' where there is neither. */
export function kustomizationOf(patches: readonly RepositoryPatch[]): string {
  const applied = patches.flatMap(({ file, of }) => (of ? [{ path: file, target: withoutEmpty(of) }] : []));
  const resources = patches.filter(({ file, of }) => !of && !file.endsWith('.patch.yaml')).map(({ file }) => file);
  if (applied.length + resources.length === 0) return '';
  return stringify({
    apiVersion: 'kustomize.config.k8s.io/v1alpha1',
    kind: 'Component',
    ...(resources.length > 0 ? { resources } : {}),
    ...(applied.length > 0 ? { patches: applied } : {}),
  });
}

function withoutEmpty(of: NonNullable<RepositoryPatch['of']>): Partial<typeof of> {
  return Object.fromEntries(Object.entries(of).filter(([, value]) => value !== ''));
}
