import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { stringify } from 'yaml';

const TAKEN_AT = '2026-01-02T03:04:05Z';

export interface TinyCluster {
  /** Namespaces that there are; `forbidden` where their list was refused. */
  readonly namespaces: readonly string[] | 'forbidden';
  /** The API server did not answer. */
  readonly unreachable?: boolean;
}

/** A bundle with as little in it as a bundle can have. Returns its files by path. */
export function tinyBundle(clusters: Readonly<Record<string, TinyCluster>>): Map<string, string> {
  const files = new Map<string, string>();
  files.set(
    'manifest.yaml',
    stringify({ format: 1, createdBy: 'test', takenAt: TAKEN_AT, clusters: Object.keys(clusters) }),
  );
  for (const [name, cluster] of Object.entries(clusters)) {
    for (const [path, text] of clusterFiles(name, cluster)) files.set(`clusters/${name}/${path}`, text);
  }
  return files;
}

function clusterFiles(name: string, { namespaces, unreachable }: TinyCluster): readonly (readonly [string, string])[] {
  if (unreachable) {
    return [
      ['cluster.yaml', stringify({ name, takenAt: TAKEN_AT })],
      [
        'failures.yaml',
        stringify([{ path: '/version', status: 0, reason: 'refused', message: 'connect ECONNREFUSED 192.0.2.1:6443' }]),
      ],
    ];
  }
  const resource = (plural: string, kind: string, namespaced: boolean) => ({
    name: plural,
    kind,
    namespaced,
    verbs: ['get', 'list'],
  });
  const listOf = (kind: string, items: readonly object[]) =>
    JSON.stringify({ apiVersion: 'v1', kind: `${kind}List`, metadata: { resourceVersion: '1' }, items });
  const refused = {
    path: '/api/v1/namespaces',
    status: 403,
    reason: 'Forbidden',
    message: 'namespaces is forbidden: User "reader" cannot list resource "namespaces" in API group ""',
  };
  return [
    [
      'cluster.yaml',
      stringify({
        name,
        takenAt: TAKEN_AT,
        serverVersion: { major: '1', minor: '31', gitVersion: 'v1.31.4' },
        context: name,
        apiServer: '192.0.2.1:6443',
        ready: true,
      }),
    ],
    ['failures.yaml', namespaces === 'forbidden' ? stringify([refused]) : '[]\n'],
    [
      'discovery.json',
      JSON.stringify({
        groups: [
          {
            group: '',
            version: 'v1',
            resources: [resource('namespaces', 'Namespace', false), resource('pods', 'Pod', true)],
          },
        ],
      }),
    ],
    ...(namespaces === 'forbidden'
      ? []
      : [
          [
            'objects/core/v1/namespaces.json',
            listOf(
              'Namespace',
              namespaces.map(namespace => ({
                apiVersion: 'v1',
                kind: 'Namespace',
                metadata: { name: namespace, uid: namespace, creationTimestamp: '2026-01-01T00:00:00Z' },
                status: { phase: 'Active' },
              })),
            ),
          ] as const,
        ]),
    ['objects/core/v1/pods.json', listOf('Pod', [])],
  ];
}

/** Writes files by their path in a folder. */
export function writeFiles(folder: string, files: ReadonlyMap<string, string>): void {
  for (const [path, text] of files) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
}

/** A rule of the user's own: a namespace of that name is a problem of that severity. */
export function namespaceRule(severity: 'critical' | 'warning' | 'info', extra = ''): string {
  return `id: own-${severity}-namespace
title: A namespace is called ${severity}
severity: ${severity}
tags: [own]
symptom: >
  There is a namespace called ${severity}.

evidence:
  namespaces: kubernetes.namespaces

forEach: n in namespaces

problemWhen: n.name == "${severity}"

subject: { kind: Namespace, name: "\${n.name}" }
message: "Namespace \${n.name} is there."
show:
  Name: n.name
${extra}fix:
  byHand: |
    1. Give the namespace \${n.name} another name.
`;
}

export function writeOwnRules(folder: string): void {
  writeFiles(
    folder,
    new Map(
      (['critical', 'warning', 'info'] as const).map(severity => [
        `own-${severity}-namespace.yaml`,
        namespaceRule(severity),
      ]),
    ),
  );
}
