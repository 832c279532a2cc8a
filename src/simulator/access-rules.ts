import type { AccessReview, RawObject } from '../model/source.ts';

/** One read, as the API server's authoriser sees it. */
export interface AccessQuestion {
  readonly verb: string;
  readonly group: string;
  readonly resource: string;
  readonly subresource: string;
  /** '' for the whole cluster. */
  readonly namespace: string;
  readonly name: string;
}

/**
 * Whether the recorded reader may do it. A bundle holds the rules of single namespaces only: what is allowed in all of
 * them is taken as allowed in the cluster, and in every other namespace.
 */
export function isAllowed(access: readonly AccessReview[], question: AccessQuestion): boolean {
  const own = access.filter(review => review.namespace === question.namespace);
  const asked = own.length > 0 ? own : access;
  return asked.length > 0 && asked.every(review => review.resourceRules.some(rule => covers(rule, question)));
}

function covers(rule: RawObject, question: AccessQuestion): boolean {
  const named = (list: readonly string[] | undefined, ...values: readonly string[]) =>
    (list ?? []).some(entry => entry === '*' || values.includes(entry));
  const { resource, subresource } = question;
  const resources = subresource === '' ? [resource] : [`${resource}/${subresource}`, `*/${subresource}`];
  return (
    named(rule.verbs, question.verb) &&
    named(rule.apiGroups, question.group) &&
    named(rule.resources, ...resources) &&
    ((rule.resourceNames ?? []).length === 0 || rule.resourceNames.includes(question.name))
  );
}

/** The rules of one namespace, or what all namespaces have in common where it was not reviewed. */
export function rulesOf(access: readonly AccessReview[], namespace: string): AccessReview {
  const own = access.find(review => review.namespace === namespace);
  if (own) return own;
  const common = (pick: (review: AccessReview) => readonly RawObject[]) => {
    const [first, ...others] = access.map(review => pick(review).map(rule => JSON.stringify(rule)));
    return (first ?? []).filter(rule => others.every(other => other.includes(rule))).map(rule => JSON.parse(rule));
  };
  return {
    namespace,
    incomplete: access.some(review => review.incomplete),
    resourceRules: common(review => review.resourceRules),
    nonResourceRules: common(review => review.nonResourceRules),
  };
}

/** What the API server says of a read that is not allowed. */
export function forbiddenMessage(user: string, question: AccessQuestion): string {
  const { verb, group, resource, subresource, namespace, name } = question;
  const what = `${resource}${group === '' ? '' : `.${group}`}${name === '' ? '' : ` "${name}"`}`;
  const where = namespace === '' ? 'at the cluster scope' : `in the namespace "${namespace}"`;
  const whole = subresource === '' ? resource : `${resource}/${subresource}`;
  return `${what} is forbidden: User "${user}" cannot ${verb} resource "${whole}" in API group "${group}" ${where}`;
}
