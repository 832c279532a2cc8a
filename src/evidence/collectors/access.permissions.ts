import type { AccessReview, RawObject } from '../../model/source.ts';
import { fetched } from '../collector.ts';
import { collector as scopeCollector } from '../derived/kubernetes.scope.ts';
import { known, listOrGap } from '../gaps.ts';
import { list, text } from '../objects.ts';

export const collector = fetched({
  id: 'access.permissions',
  about: 'What the reader may do, as the API server itself reviews it.',
  needs: [
    { verbs: ['create'], group: 'authorization.k8s.io', resource: 'selfsubjectrulesreviews' },
    { verbs: ['create'], group: 'authorization.k8s.io', resource: 'selfsubjectaccessreviews' },
  ],
  shape: {
    /** False where an authorizer cannot list its rules: then absence is no denial. */
    complete: 'bool',
    namespaces: ['str'],
    /** One row a verb and resource; `*` stands for all, `name` '' for every object. Non-resource URLs begin with `/`. */
    allowed: [{ verb: 'str', group: 'str', resource: 'str', subresource: 'str', namespace: 'str', name: 'str' }],
    /** Of what reading needs, what no rule allows; empty where `complete` is false. */
    denied: [{ verb: 'str', group: 'str', resource: 'str', subresource: 'str', namespace: 'str' }],
  },
  async collect(context) {
    const scope = known(await listOrGap(context.get(scopeCollector)));
    const reviews = await context.source.access(scope.map(row => row.namespace));
    const allowed = reviews.flatMap(allowedBy);
    const complete = reviews.every(review => !review.incomplete);
    return {
      complete,
      namespaces: reviews.map(review => review.namespace),
      allowed,
      denied: complete ? reviews.flatMap(({ namespace }) => deniedIn(namespace, allowed)) : [],
    };
  },
});

interface Right {
  readonly verb: string;
  readonly group: string;
  readonly resource: string;
  readonly subresource: string;
}

interface Allowed extends Right {
  readonly namespace: string;
  readonly name: string;
}

function allowedBy({ namespace, resourceRules, nonResourceRules }: AccessReview): readonly Allowed[] {
  const rows = (rule: RawObject): readonly Allowed[] =>
    list(rule?.verbs).flatMap(verb =>
      list(rule?.apiGroups).flatMap(group =>
        list(rule?.resources).flatMap(resource =>
          (list(rule?.resourceNames).length > 0 ? list(rule.resourceNames) : ['']).map(name => ({
            verb: text(verb),
            group: text(group),
            ...split(text(resource)),
            namespace,
            name: text(name),
          })),
        ),
      ),
    );
  const urls = (rule: RawObject): readonly Allowed[] =>
    list(rule?.verbs).flatMap(verb =>
      list(rule?.nonResourceURLs).map(url => ({
        verb: text(verb),
        group: '',
        resource: text(url),
        subresource: '',
        namespace,
        name: '',
      })),
    );
  return [...list(resourceRules).flatMap(rows), ...list(nonResourceRules).flatMap(urls)];
}

function split(resource: string): { readonly resource: string; readonly subresource: string } {
  if (resource.startsWith('/')) return { resource, subresource: '' };
  const [name = '', subresource = ''] = resource.split('/');
  return { resource: name, subresource };
}

/** What reading a namespace needs beyond the lists, each of which says by itself that it was refused. */
const NEEDED: readonly Right[] = [
  { verb: 'list', group: '', resource: 'pods', subresource: '' },
  { verb: 'list', group: '', resource: 'services', subresource: '' },
  { verb: 'list', group: '', resource: 'events', subresource: '' },
  { verb: 'list', group: 'apps', resource: 'deployments', subresource: '' },
  { verb: 'list', group: 'apps', resource: 'statefulsets', subresource: '' },
  { verb: 'get', group: '', resource: 'pods', subresource: 'log' },
  { verb: 'get', group: '', resource: 'pods', subresource: 'proxy' },
];

function deniedIn(namespace: string, allowed: readonly Allowed[]) {
  const fits = (rule: string, value: string) => rule === '*' || rule === value;
  const isAllowed = (need: Right) =>
    allowed.some(
      rule =>
        rule.namespace === namespace &&
        fits(rule.verb, need.verb) &&
        fits(rule.group, need.group) &&
        (rule.resource === '*' || (rule.resource === need.resource && fits(rule.subresource, need.subresource))),
    );
  return NEEDED.filter(need => !isAllowed(need)).map(need => ({ ...need, namespace }));
}
