import type { RawObject } from '../model/source.ts';
import { labelSelector } from './label-selectors.ts';
import { selectsLabels } from './selectors.ts';

type Labels = Readonly<Record<string, string>>;

const NAMESPACE = 'io.kubernetes.pod.namespace';
const NAMESPACE_LABELS = 'io.cilium.k8s.namespace.labels.';
const ACCOUNT = 'io.cilium.k8s.policy.serviceaccount';

/** Labels of a pod as Cilium's policies see them: its own, its namespace, that namespace's labels, its account. */
export function ciliumLabels(
  pod: { readonly namespace: string; readonly labels: Labels; readonly serviceAccount: string },
  namespaceLabels: Labels,
): Labels {
  return {
    ...pod.labels,
    [NAMESPACE]: pod.namespace,
    [ACCOUNT]: pod.serviceAccount,
    ...Object.fromEntries(Object.entries(namespaceLabels).map(([key, value]) => [`${NAMESPACE_LABELS}${key}`, value])),
  };
}

/** Cilium's prefixes of label sources; a pod's labels are `k8s`. */
function bare(key: string): string {
  return key.replace(/^(?:k8s|any)[:.]/, '');
}

/**
 * A selector of endpoints. In a policy of a namespace it means that namespace, unless it names one itself. `reserved`
 * labels (`reserved:host`) select no pod.
 */
export function ciliumSelector(raw: RawObject, namespace: string): { readonly selects: (labels: Labels) => boolean } {
  const { labels, expressions } = labelSelector(raw);
  const wanted: Labels = Object.fromEntries(Object.entries(labels).map(([key, value]) => [bare(key), value]));
  const bareExpressions = expressions.map(one => ({ ...one, key: bare(one.key) }));
  const keys = [...Object.keys(wanted), ...bareExpressions.map(one => one.key)];
  const namesNamespace = keys.some(key => key === NAMESPACE || key.startsWith(NAMESPACE_LABELS));
  const own = namespace !== '' && !namesNamespace ? { [NAMESPACE]: namespace } : {};
  if (keys.some(key => key.startsWith('reserved:'))) return { selects: () => false };
  return { selects: has => selectsLabels({ ...wanted, ...own }, bareExpressions, has) };
}

/** A policy of hosts: it selects nodes, and no pod. */
export function nodeOnly(spec: RawObject): boolean {
  return spec?.nodeSelector !== undefined && spec?.nodeSelector !== null && !spec?.endpointSelector;
}
