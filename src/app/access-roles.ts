import { stringify } from 'yaml';
import { COLLECTORS } from '../evidence/catalogue.ts';
import type { Access } from '../model/evidence.ts';
import { ACTIONS } from '../remediations/catalogue.ts';

/** A file of `deploy/rbac/`: what it allows, and what that buys. */
export interface RoleFile {
  readonly name: string;
  readonly text: string;
}

/** Access that the read-only role leaves out: each has a small role of its own. */
const APART: Readonly<Record<string, string>> = {
  secrets: 'reader-object-store-secret',
  'nodes/proxy': 'reader-node-statistics',
};

/** The roles that reading needs, from what the collectors say that they need. */
export function accessRoles(): readonly RoleFile[] {
  return [
    {
      name: 'reader.yaml',
      text: file(
        [
          'The read-only role of thanos-doctor: lists, logs, and GET through the proxy to components.',
          'No secrets, no exec, no attach, no port-forward, no nodes/proxy, no write but the review of its own access.',
          'Written by scripts/generate.mjs from what the collectors need.',
        ],
        [clusterRole('thanos-doctor-reader', readerRules()), serviceAccount(), binding('thanos-doctor-reader')],
      ),
    },
    {
      name: 'reader-object-store-secret.yaml',
      text: file(
        [
          'Optional. Buys: what the object store itself answers (wrong key, missing bucket, denied access), the blocks in the bucket,',
          'and whether the configuration is sound. Put in the names of the Secrets that your Thanos components name; nothing else is read.',
        ],
        [
          {
            apiVersion: 'rbac.authorization.k8s.io/v1',
            kind: 'Role',
            metadata: { name: 'thanos-doctor-reader-object-store-secret', namespace: 'monitoring' },
            rules: [
              { apiGroups: [''], resources: ['secrets'], resourceNames: ['thanos-objstore-config'], verbs: ['get'] },
            ],
          },
          {
            apiVersion: 'rbac.authorization.k8s.io/v1',
            kind: 'RoleBinding',
            metadata: { name: 'thanos-doctor-reader-object-store-secret', namespace: 'monitoring' },
            roleRef: {
              apiGroup: 'rbac.authorization.k8s.io',
              kind: 'Role',
              name: 'thanos-doctor-reader-object-store-secret',
            },
            subjects: [SUBJECT],
          },
        ],
      ),
    },
    {
      name: 'reader-node-statistics.yaml',
      text: file(
        [
          'Optional. Buys: how full claims and nodes are, by the kubelet itself (GET /stats/summary).',
          'nodes/proxy reaches more of the kubelet than that: give it only where you would give it to a person.',
        ],
        [
          clusterRole('thanos-doctor-reader-node-statistics', [
            { apiGroups: [''], resources: ['nodes/proxy'], verbs: ['get'] },
          ]),
          binding('thanos-doctor-reader-node-statistics'),
        ],
      ),
    },
    {
      name: 'reader-port-forward.yaml',
      text: file(
        [
          'Optional. Buys: the HTTP of components where pods/proxy is not allowed (with --port-forward).',
          'A port-forward reaches every port of every pod of the namespaces that you bind it in.',
        ],
        [
          clusterRole('thanos-doctor-reader-port-forward', [
            { apiGroups: [''], resources: ['pods/portforward'], verbs: ['create'] },
          ]),
          binding('thanos-doctor-reader-port-forward'),
        ],
      ),
    },
    ...fixerRoles(),
  ];
}

/** Very powerful: an account of its own, bound only while something is mended. */
const NODES = 'kubernetes.uncordon-node';

/** What the actions write, apart from the reader: whoever may only read is given none of it. */
function fixerRoles(): readonly RoleFile[] {
  const actions = [...ACTIONS.values()];
  const common: readonly Access[] = [
    { verbs: ['get', 'create', 'patch'], group: 'coordination.k8s.io', resource: 'leases' },
    { verbs: ['create'], group: '', resource: 'events' },
  ];
  const usual = actions.filter(({ id }) => id !== NODES).flatMap(({ access }) => access);
  const nodes = actions.filter(({ id }) => id === NODES).flatMap(({ access }) => access);
  return [
    {
      name: 'fixer.yaml',
      text: file(
        [
          'What `thanos-doctor fix` writes, beside the read-only role. Whoever patches a workload or creates a pod can run code as its',
          'service account: bind it to a person, and only for the time of the repair. A plan names what it lacks.',
          'Bind it with a RoleBinding in each namespace that is to be mended (monitoring, say), not with a ClusterRoleBinding: of Secrets,',
          'pods and claims it then gives only those that are there. A ClusterRoleBinding is needed only for what has no namespace',
          '(storage classes, address pools): copy those rules into a ClusterRole of their own.',
          'Written by scripts/generate.mjs from what the actions need.',
        ],
        [clusterRole('thanos-doctor-fixer', rulesOf([...usual, ...common]))],
      ),
    },
    {
      name: 'fixer-nodes.yaml',
      text: file(
        [
          'Optional. Buys: uncordoning nodes. Whoever patches nodes can move every pod: give it only where you would give it to a person.',
        ],
        [clusterRole('thanos-doctor-fixer-nodes', rulesOf([...nodes, ...common]))],
      ),
    },
  ];
}

/** One rule for each group and set of resources with the same verbs. */
function rulesOf(needs: readonly Access[]): readonly PolicyRule[] {
  const groups = new Map<string, Map<string, Set<string>>>();
  for (const access of needs) note(groups, access);
  return [...groups]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([group, verbs]) =>
      [...verbs]
        .sort(([a], [b]) => (a < b ? 1 : -1))
        .map(([verb, resources]) => ({ apiGroups: [group], resources: [...resources].sort(), verbs: [verb] })),
    );
}

const SUBJECT = { kind: 'ServiceAccount', name: 'thanos-doctor', namespace: 'monitoring' };

interface PolicyRule {
  readonly apiGroups?: readonly string[];
  readonly resources?: readonly string[];
  readonly nonResourceURLs?: readonly string[];
  readonly verbs: readonly string[];
}

function readerRules(): readonly PolicyRule[] {
  const needs = [...COLLECTORS.values()]
    .flatMap(collector => collector.needs)
    .filter(access => !(access.resource in APART));
  const groups = new Map<string, Map<string, Set<string>>>();
  const urls = new Set<string>();
  for (const access of needs) {
    if (access.resource.startsWith('/')) urls.add(access.resource);
    else note(groups, access);
  }
  // What is asked of a Service instead of its pods needs the same right on the Service.
  note(groups, { verbs: ['get'], group: '', resource: 'services/proxy' });
  const rules: PolicyRule[] = [];
  for (const [group, verbs] of [...groups].sort(([a], [b]) => (a < b ? -1 : 1))) {
    for (const [verb, resources] of [...verbs].sort(([a], [b]) => (a < b ? 1 : -1))) {
      rules.push({ apiGroups: [group], resources: [...resources].sort(), verbs: [verb] });
    }
  }
  return [
    ...rules,
    {
      nonResourceURLs: [...urls].flatMap(url => (url.startsWith('/api') ? [url, `${url}/*`] : [url])).sort(),
      verbs: ['get'],
    },
  ];
}

function note(groups: Map<string, Map<string, Set<string>>>, { group, resource, verbs }: Access): void {
  const ofGroup = groups.get(group) ?? new Map<string, Set<string>>();
  groups.set(group, ofGroup);
  for (const verb of verbs) {
    const resources = ofGroup.get(verb) ?? new Set<string>();
    ofGroup.set(verb, resources.add(resource));
  }
}

function clusterRole(name: string, rules: readonly PolicyRule[]): object {
  return { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', metadata: { name }, rules };
}

function serviceAccount(): object {
  return { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: SUBJECT.name, namespace: SUBJECT.namespace } };
}

function binding(name: string): object {
  return {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRoleBinding',
    metadata: { name },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name },
    subjects: [SUBJECT],
  };
}

function file(comment: readonly string[], documents: readonly object[]): string {
  return `${comment.map(line => `# ${line}`).join('\n')}\n${documents.map(document => stringify(document, { lineWidth: 0, aliasDuplicateObjects: false })).join('---\n')}`;
}
