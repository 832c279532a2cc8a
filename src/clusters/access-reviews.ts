import { GapSignal } from '../model/gap.ts';
import type { AccessReview } from '../model/source.ts';
import type { ApiServer } from './api-server.ts';

const RULES_REVIEWS = '/apis/authorization.k8s.io/v1/selfsubjectrulesreviews';
const ACCESS_REVIEWS = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews';

/** What the reader may do in each of the namespaces, as the API server says. */
export async function reviewRules(api: ApiServer, namespaces: readonly string[]): Promise<readonly AccessReview[]> {
  return Promise.all(namespaces.map(namespace => reviewNamespace(api, namespace)));
}

async function reviewNamespace(api: ApiServer, namespace: string): Promise<AccessReview> {
  const body = { apiVersion: 'authorization.k8s.io/v1', kind: 'SelfSubjectRulesReview', spec: { namespace } };
  const { status } = await api.json({ path: RULES_REVIEWS, method: 'POST', body });
  if (!Array.isArray(status?.resourceRules)) {
    throw new GapSignal({ reason: 'malformed', detail: 'the review holds no rules', path: RULES_REVIEWS });
  }
  return {
    namespace,
    // Whatever is no clear no: then absence is no denial.
    incomplete: (status.incomplete ?? false) !== false,
    resourceRules: status.resourceRules,
    nonResourceRules: status.nonResourceRules ?? [],
  };
}

/** One thing that may be allowed. */
export interface Permission {
  readonly verb: string;
  readonly group: string;
  readonly resource: string;
  readonly subresource: string;
  readonly namespace: string;
  /** Left out: every object. */
  readonly name?: string;
}

/** Whether one thing is allowed. A review that fails is no permission. */
export async function isAllowed(api: ApiServer, permission: Permission): Promise<boolean> {
  return (await reviewed(api, permission)) === true;
}

/** Whether one thing is not allowed, by the API server's own words. A review that fails is no denial. */
export async function isDenied(api: ApiServer, permission: Permission): Promise<boolean> {
  return (await reviewed(api, permission)) === false;
}

/** Undefined where the API server does not say. */
async function reviewed(api: ApiServer, permission: Permission): Promise<boolean | undefined> {
  const spec = { resourceAttributes: permission };
  const body = { apiVersion: 'authorization.k8s.io/v1', kind: 'SelfSubjectAccessReview', spec };
  try {
    const answer = await api.read({ path: ACCESS_REVIEWS, method: 'POST', body });
    const allowed = answer.status === 201 ? JSON.parse(answer.body.toString('utf8'))?.status?.allowed : undefined;
    return typeof allowed === 'boolean' ? allowed : undefined;
  } catch (error) {
    if (error instanceof GapSignal || error instanceof SyntaxError) return undefined;
    throw error;
  }
}
