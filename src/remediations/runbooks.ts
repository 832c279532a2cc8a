/** One step of a runbook: what has to hold, on which evidence, and what to do where it does not. */
export interface RunbookStep {
  readonly title: string;
  /** Rules that have to be healthy before the next step; none for a step that only a person can judge. */
  readonly rules: readonly string[];
  /** What a person does, one line each; commands can be pasted. */
  readonly byHand: readonly string[];
  /** Seconds that its effect may take. */
  readonly seconds: number;
}

/** A procedure in an order that works: each step is checked before the next. */
export interface Runbook {
  readonly id: string;
  readonly title: string;
  readonly steps: readonly RunbookStep[];
}

const step = (title: string, rules: readonly string[], byHand: readonly string[] = [], seconds = 300): RunbookStep => ({
  title,
  rules,
  byHand,
  seconds,
});

const SAVE = step(
  'save what is to be seen now: logs of failing runs go with their pods',
  [],
  ['thanos-doctor collect -o incident.tar.gz'],
);
const NODES = step('API servers, nodes and clocks', [
  'api-server-not-ready',
  'node-not-ready',
  'node-disk-pressure',
  'node-memory-pressure',
  'node-pid-pressure',
  'node-clock-skewed',
]);
const NETWORK = step('names and network', [
  'cluster-dns-down',
  'cilium-agent-down',
  'cilium-operator-down',
  'kube-proxy-down',
]);
const STORAGE = step(
  'storage: managers, drivers, volumes, claims',
  [
    'longhorn-manager-down',
    'csi-driver-not-registered',
    'attacher-down',
    'provisioner-down',
    'resizer-down',
    'volume-faulted',
    'volume-attach-fails',
    'claim-full',
    'claim-missing',
  ],
  [],
  600,
);
const OBJECT_STORE = step(
  'the object store answers',
  [
    'object-store-unreachable',
    'object-store-name-unresolved',
    'object-store-speaks-http',
    'object-store-speaks-tls',
    'object-store-bucket-missing',
    'object-store-access-denied',
    'object-store-key-unknown',
    'object-store-secret-wrong',
  ],
  ['if it will be away for longer than the local retention less 4 h: lengthen the retention before anything restarts'],
);
const PROMETHEUS = step(
  'Prometheus, one replica after another',
  [
    'prometheus-down',
    'prometheus-out-of-memory',
    'prometheus-disk-full',
    'prometheus-tsdb-corrupt',
    'prometheus-wal-corrupt',
  ],
  ['never both replicas at once; a replay of the log may take many minutes'],
  1800,
);
const SIDECARS = step(
  'sidecars reach their Prometheus and upload',
  ['sidecar-cannot-reach-prometheus', 'sidecar-not-uploading'],
  [],
  900,
);
const STORE = step(
  'store gateways are ready and serve blocks',
  ['store-not-running', 'store-serves-no-blocks', 'store-cannot-sync-bucket'],
  [],
  900,
);
const QUERY = step(
  'the Query lists every endpoint',
  ['query-not-running', 'query-endpoint-down', 'query-has-no-stores', 'edge-missing-from-query'],
  ['a restart of the Query mends nothing that its stores lack'],
);
const ALERTING = step('rules are evaluated, and alerts arrive', [
  'ruler-cannot-query',
  'alertmanager-down',
  'watchdog-missing',
]);
const GRAFANA = step(
  'Grafana',
  ['grafana-down', 'grafana-database-unusable'],
  ['never two pods on one SQLite file: the strategy of its Deployment has to be Recreate'],
);
const COMPACTOR = step(
  'the Compactor last, and only one',
  ['bucket-has-two-compactors', 'compactor-not-running', 'compactor-halted'],
  [],
  1800,
);

/** The procedures for emergencies, by name. */
export const RUNBOOKS: readonly Runbook[] = [
  {
    id: 'full-outage',
    title: 'everything is down',
    steps: [
      SAVE,
      NODES,
      NETWORK,
      STORAGE,
      OBJECT_STORE,
      PROMETHEUS,
      SIDECARS,
      STORE,
      QUERY,
      ALERTING,
      GRAFANA,
      COMPACTOR,
    ],
  },
  {
    id: 'pods-pending',
    title: 'all pods of a namespace are Pending',
    steps: [
      SAVE,
      NODES,
      step('no node is closed by mistake', ['node-cordoned', 'pod-unschedulable-untolerated-taint']),
      step('pods find room', [
        'pod-unschedulable-insufficient-resources',
        'pod-unschedulable-too-many-pods',
        'quota-exceeded',
        'replicas-not-created',
      ]),
      step(
        'claims are bound',
        [
          'claim-has-no-storage-class',
          'claim-names-missing-storage-class',
          'claim-missing',
          'claim-waits-for-provisioner',
          'pod-waits-for-volume',
        ],
        [],
        600,
      ),
      STORAGE,
      step('images and configuration are there', [
        'image-missing',
        'image-not-pulled',
        'config-object-missing',
        'service-account-missing',
      ]),
    ],
  },
  {
    id: 'prometheus-data',
    title: 'the data of Prometheus is damaged',
    steps: [
      SAVE,
      step('it is no lock, no permission, no full disk and no lack of memory', [
        'prometheus-data-locked',
        'prometheus-data-permission-denied',
        'prometheus-data-read-only',
        'prometheus-disk-full',
        'prometheus-out-of-memory',
      ]),
      step(
        'a snapshot of the volume, before any pod is deleted',
        [],
        [
          'take a snapshot of the volume in Longhorn, and wait until it is ready',
          'the container cannot write an archive: its filesystem is read-only',
        ],
      ),
      step(
        'which blocks are not in the bucket',
        [],
        [
          'compare the folders under /prometheus (a pod on the claim) with the blocks of the bucket: only those are lost',
        ],
      ),
      step(
        'the damaged block is moved aside, not deleted',
        ['prometheus-tsdb-corrupt', 'prometheus-wal-corrupt', 'prometheus-head-chunks-corrupt'],
        [
          'set spec.paused: true in the Prometheus resource, scale its StatefulSet down to below the damaged pod',
          'in a pod on the claim: mv /prometheus/ULID /prometheus/quarantine-ULID',
          'scale back, set spec.paused: false',
        ],
        1800,
      ),
      PROMETHEUS,
      SIDECARS,
    ],
  },
  {
    id: 'volume-faulted',
    title: 'a Longhorn volume is faulted',
    steps: [
      SAVE,
      NODES,
      step('Longhorn itself runs', [
        'longhorn-manager-down',
        'longhorn-instance-manager-down',
        'longhorn-node-not-ready',
        'longhorn-iscsi-missing',
        'longhorn-iscsi-daemon-stopped',
      ]),
      step('its disks are there', [
        'longhorn-disk-not-ready',
        'longhorn-disk-not-schedulable',
        'volume-replica-lacks-disk',
        'volume-replica-lacks-storage',
      ]),
      step(
        'the volume is not faulted',
        ['volume-faulted', 'longhorn-volume-missing'],
        [
          'scale the workload to 0 first; do not delete a replica: which one is newest, the interface of Longhorn shows',
          'salvage the newest replica there, then scale back',
        ],
        900,
      ),
      step(
        'it is attached and mounted again',
        ['volume-attach-fails', 'volume-attachment-stale', 'volume-mount-fails', 'pod-stuck-creating'],
        [],
        600,
      ),
    ],
  },
  {
    id: 'rollback',
    title: 'a change has to be taken back as a whole',
    steps: [
      SAVE,
      step(
        'what is applied is the last version that worked',
        [],
        [
          'git log --oneline -10, then git revert the change and apply it: a change of the cluster alone is taken back by the next apply',
          'kubectl diff -k overlays/CLUSTER shows what would change',
        ],
      ),
      step(
        'no rollout is stuck',
        ['rollout-stuck', 'statefulset-rollback-trapped', 'prometheus-paused', 'prometheus-not-reconciled'],
        [],
        900,
      ),
      step('nothing refuses what is applied', [
        'monitor-rejected',
        'rule-rejected',
        'admission-webhook-denies',
        'container-exits-on-bad-flag',
      ]),
      PROMETHEUS,
      STORE,
      QUERY,
      COMPACTOR,
    ],
  },
  {
    id: 'compactor-overlap',
    title: 'the Compactor halted on overlapping blocks',
    steps: [
      step('one Compactor only', ['bucket-has-two-compactors']),
      step('no two producers have the same labels', [
        'external-labels-duplicated',
        'replica-label-missing',
        'sidecar-external-labels-missing',
      ]),
      step(
        'no blocks overlap',
        ['blocks-overlap'],
        [
          'per pair: same sources and statistics, then mark one for deletion, after a copy; different data, then keep both',
          "thanos tools bucket mark --id=ULID --marker=no-compact-mark.json --details='…' --objstore.config-file=…",
        ],
      ),
      COMPACTOR,
    ],
  },
  {
    id: 'object-store-maintenance',
    title: 'the object store will be away for a while',
    steps: [
      step(
        'local data is kept for the planned time and 4 h more, in every cluster',
        ['prometheus-retention-shorter-than-upload', 'claim-nearly-full'],
        ['thanos-doctor fix prometheus-retention-shorter-than-upload --retention 12h'],
      ),
      step('the maintenance is over', [], ['Compactor and stores may stay: they try again']),
      OBJECT_STORE,
      SIDECARS,
      COMPACTOR,
      step('the retention is as it was', [], ['thanos-doctor fix --history, then fix --undo ID']),
    ],
  },
];
