import type { RawObject } from '../model/source.ts';

/** Who else writes an object. */
export interface Owner {
  readonly is: 'nobody' | 'operator' | 'gitops' | 'applied';
  /** Who, for people: `Argo CD (application monitoring)`. */
  readonly who: string;
}

const NOBODY: Owner = { is: 'nobody', who: '' };
const OPERATED_BY: Readonly<Record<string, string>> = {
  Prometheus: 'the Prometheus Operator',
  PrometheusAgent: 'the Prometheus Operator',
  Alertmanager: 'the Prometheus Operator',
  ThanosRuler: 'the Prometheus Operator',
};
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
  const helm = annotations['meta.helm.sh/release-name'];
  if (helm) return { is: 'gitops', who: named('Helm', 'release', helm) };
  const isApplied = annotations['kubectl.kubernetes.io/last-applied-configuration'] !== undefined || applies('kubectl');
  return isApplied ? { is: 'applied', who: '`kubectl apply`' } : NOBODY;
}

function named(who: string, kind: string, name: string | undefined): string {
  return name ? `${who} (${kind} ${name})` : who;
}
