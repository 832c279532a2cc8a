import { GapSignal } from '../model/gap.ts';
import type { ApiReader, PlanInput, Step, Target } from '../model/remediation.ts';
import type { RawObject } from '../model/source.ts';
import { rowsOf } from './evidence-rows.ts';
import { nameOf, sameTarget, WORKLOAD_KINDS } from './targets.ts';

/** Who else writes an object. */
export interface Owner {
  readonly is: 'nobody' | 'operator' | 'gitops' | 'applied';
  /** Who, for people: `Argo CD (application monitoring)`. */
  readonly who: string;
  /** The Helm release that the object says it is of, which may be gone. */
  readonly release?: { readonly namespace: string; readonly name: string };
}

/** An object whose configuration is changed, with who else writes it. */
export interface Owned {
  readonly target: Target;
  readonly object: RawObject;
  readonly owner: Owner;
}

const NOBODY: Owner = { is: 'nobody', who: '' };
const OPERATED_BY: Readonly<Record<string, string>> = {
  Prometheus: 'the Prometheus Operator',
  PrometheusAgent: 'the Prometheus Operator',
  Alertmanager: 'the Prometheus Operator',
  ThanosRuler: 'the Prometheus Operator',
};
const RELEASE = 'meta.helm.sh/release-name';
const SECRET_SOURCES = new Set(['ExternalSecret', 'SealedSecret', 'VaultStaticSecret', 'VaultDynamicSecret']);

/** Who would undo a change to this object: an operator, a GitOps controller, a Helm release, the next `kubectl apply`. */
export function ownerOf(object: RawObject): Owner {
  const { annotations = {}, labels = {}, ownerReferences = [], managedFields = [] } = object.metadata ?? {};
  const controller = ownerReferences.find((reference: RawObject) => reference.controller === true);
  if (controller && OPERATED_BY[controller.kind]) {
    return { is: 'operator', who: `${OPERATED_BY[controller.kind]}, from ${controller.kind} ${controller.name}` };
  }
  const source = ownerReferences.find((reference: RawObject) => SECRET_SOURCES.has(reference.kind));
  if (source) return { is: 'gitops', who: `${source.kind} ${source.name}` };
  if (controller) return { is: 'operator', who: `its owner, ${controller.kind} ${controller.name}` };
  const applies = (manager: string) =>
    managedFields.some((field: RawObject) => field.manager === manager && field.operation === 'Apply');
  const application =
    annotations['argocd.argoproj.io/tracking-id']?.split(':')[0] ?? labels['argocd.argoproj.io/instance'];
  if (application || applies('argocd-controller'))
    return { is: 'gitops', who: named('Argo CD', 'application', application) };
  const kustomization = labels['kustomize.toolkit.fluxcd.io/name'];
  if (kustomization || applies('kustomize-controller')) {
    return { is: 'gitops', who: named('Flux', 'Kustomization', kustomization) };
  }
  const release = labels['helm.toolkit.fluxcd.io/name'];
  if (release || applies('helm-controller')) return { is: 'gitops', who: named('Flux', 'HelmRelease', release) };
  // Only an installed release has this annotation: the output of a template that was applied has the chart's labels alone.
  const helm = annotations[RELEASE];
  if (helm) {
    const namespace = annotations['meta.helm.sh/release-namespace'] ?? object.metadata?.namespace ?? '';
    return { is: 'gitops', who: named('Helm', 'release', helm), release: { namespace, name: helm } };
  }
  const isApplied = annotations['kubectl.kubernetes.io/last-applied-configuration'] !== undefined || applies('kubectl');
  return isApplied ? { is: 'applied', who: '`kubectl apply`' } : NOBODY;
}

function named(who: string, kind: string, name: string | undefined): string {
  return name ? `${who} (${kind} ${name})` : who;
}

/**
 * The objects that steps configure, each with who else writes it. Restarts and deletions of pods are undone by nobody.
 * Throws a `GapSignal` where an object cannot be read.
 */
export async function ownedObjects(writes: readonly Step[], { api }: PlanInput): Promise<readonly Owned[]> {
  const owned: Owned[] = [];
  for (const { target, do: verb } of writes) {
    if (verb !== 'change' && verb !== 'edit-text') continue;
    if (owned.some(other => sameTarget(other.target, target))) continue;
    // A scale subresource has no owner of its own: its object has.
    const { subresource: _scale, ...whole } = target;
    const object = await api.get(whole);
    if (object) owned.push({ target, object, owner: await liveOwnerOf(object, api) });
  }
  return owned;
}

/** A release that was uninstalled leaves its annotation on what it was told to keep. */
async function liveOwnerOf(object: RawObject, api: ApiReader): Promise<Owner> {
  const owner = ownerOf(object);
  if (!owner.release || (await isInstalled(owner.release, api))) return owner;
  const { [RELEASE]: _gone, ...annotations } = object.metadata.annotations;
  return ownerOf({ ...object, metadata: { ...object.metadata, annotations } });
}

/** Helm keeps each revision of a release in a Secret, or in a ConfigMap. What cannot be looked at is taken to be there. */
async function isInstalled({ namespace, name }: NonNullable<Owner['release']>, api: ApiReader): Promise<boolean> {
  try {
    for (const resource of ['secrets', 'configmaps']) {
      if ((await api.list('', resource, namespace, `owner=helm,name=${name}`)).length > 0) return true;
    }
    return false;
  } catch (error) {
    if (error instanceof GapSignal) return true;
    throw error;
  }
}

/** Why somebody else would take a change of these objects back; true where nobody would. */
export async function nobodyReverts(
  owned: readonly Owned[],
  held: readonly Target[],
  { evidence, wishes }: PlanInput,
): Promise<true | string> {
  for (const { target, owner } of owned) {
    if (held.some(other => sameTarget(other, target))) continue;
    if (owner.is === 'operator') return `${nameOf(target)} is written by ${owner.who}`;
    const { subresource: _scale, ...whole } = target;
    const isWorkload = WORKLOAD_KINDS.has(target.kind);
    const told = isWorkload ? await ownersTold(nameOf(whole), evidence) : undefined;
    if (told && told.writeTo.key !== nameOf(whole)) return `${nameOf(target)} is made from ${told.writeTo.key}`;
    const source = owner.is === 'gitops' ? owner.who : REVERTING[told?.gitops];
    if (source && !wishes.insist)
      return `${nameOf(target)} comes from ${source}, which would take the change back: --emit-patch DIR writes it for the repository, --insist writes it all the same`;
  }
  return true;
}

const REVERTING: Readonly<Record<string, string>> = { argocd: 'Argo CD', flux: 'Flux' };

async function ownersTold(key: string, evidence: PlanInput['evidence']): Promise<RawObject> {
  const row = (await rowsOf(evidence, 'kubernetes.owners')).find(entry => entry.object.key === key);
  if (row) return row;
  throw new GapSignal({ reason: 'not-found', detail: `to whom ${key} belongs is not known` });
}
