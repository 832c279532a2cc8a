import type { ApiReader } from '../model/remediation.ts';
import type { RawObject } from '../model/source.ts';

type Labels = Readonly<Record<string, string>>;

/** A resource of the operator that evaluates PrometheusRules. */
export interface Evaluator {
  readonly kind: 'Prometheus' | 'ThanosRuler';
  readonly object: RawObject;
}

/** Every resource that may take a PrometheusRule. Throws a `GapSignal` where they cannot be listed. */
export async function evaluatorsOf(api: ApiReader): Promise<readonly Evaluator[]> {
  const listed = async (kind: Evaluator['kind'], resource: string) =>
    (await api.list('monitoring.coreos.com', resource, '')).map(object => ({ kind, object }));
  return [...(await listed('Prometheus', 'prometheuses')), ...(await listed('ThanosRuler', 'thanosrulers'))];
}

/** Whether an evaluator takes a rule with these labels in that namespace. */
export function takesRule({ object }: Evaluator, labels: Labels, namespace: RawObject): boolean {
  const { ruleSelector, ruleNamespaceSelector } = object.spec ?? {};
  if (!ruleSelector || !matches(ruleSelector, labels)) return false;
  return ruleNamespaceSelector
    ? matches(ruleNamespaceSelector, namespace.metadata?.labels ?? {})
    : object.metadata.namespace === namespace.metadata.name;
}

/** Labels by which a selector takes an object; undefined for a selector that takes nothing. */
export function labelsFor(selector: RawObject | undefined): Labels | undefined {
  if (!selector) return undefined;
  const labels: Record<string, string> = { ...selector.matchLabels };
  for (const { key, operator, values = [] } of selector.matchExpressions ?? []) {
    if (operator === 'In') labels[key] ??= values[0];
    if (operator === 'Exists') labels[key] ??= 'true';
  }
  return matches(selector, labels) ? labels : undefined;
}

/** Whether a label selector takes these labels; an empty one takes all. */
export function matches(selector: RawObject, labels: Labels): boolean {
  const { matchLabels = {}, matchExpressions = [] } = selector;
  return (
    Object.entries(matchLabels).every(([key, value]) => labels[key] === value) &&
    matchExpressions.every(({ key, operator, values = [] }: RawObject) => {
      const value = labels[key];
      if (operator === 'Exists') return value !== undefined;
      if (operator === 'DoesNotExist') return value === undefined;
      const isListed = value !== undefined && values.includes(value);
      return operator === 'In' ? isListed : operator === 'NotIn' && !isListed;
    })
  );
}
