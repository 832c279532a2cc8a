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

const SNAPSHOT = step(
  'a snapshot of the volume, before any pod is deleted',
  [],
  [
    'the container cannot write an archive into itself: its file system is read-only',
    'take a snapshot of the volume in Longhorn, and wait until it is ready to use',
    'kubectl --context CONTEXT get snapshots.longhorn.io -A',
    'of a Prometheus that runs, its data can be streamed out as well',
    'kubectl --context CONTEXT -n NAMESPACE exec POD -c prometheus -- tar cf - -C /prometheus . > backup.tar',
  ],
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
      SNAPSHOT,
      step(
        'which blocks are not in the bucket',
        [],
        [
          'only what is there and not in the bucket can be lost: compare these with the sources of the blocks in the bucket',
          'kubectl --context CONTEXT -n NAMESPACE exec POD -c prometheus -- ls /prometheus',
          'thanos tools bucket inspect --objstore.config-file=FILE --selector=\'cluster="NAME"\'',
        ],
      ),
      step(
        'the damaged block is moved aside, not deleted',
        ['prometheus-tsdb-corrupt'],
        ['thanos-doctor fix prometheus-tsdb-corrupt --allow-data-steps'],
        1800,
      ),
      step(
        'its log is whole',
        ['prometheus-wal-corrupt', 'prometheus-head-chunks-corrupt'],
        ['where nothing else helps: thanos-doctor recover delete-wal'],
        1800,
      ),
      step(
        'only if the volume itself is gone: the claim, then the pod, in this order',
        [],
        [
          'the other order leaves the claim in deletion under the new pod; all that the bucket lacks is lost',
          'kubectl --context CONTEXT -n NAMESPACE delete pvc CLAIM --wait=false',
          'kubectl --context CONTEXT -n NAMESPACE delete pod POD',
        ],
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
          'what would change, this shows',
          'kubectl --context CONTEXT diff -k overlays/CLUSTER',
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
  {
    id: 'delete-wal',
    title: 'the write-ahead log cannot be replayed: the last resort, at the cost of up to 3 h of samples',
    steps: [
      SAVE,
      step(
        'more memory and more time did not help',
        [],
        [
          'thanos-doctor fix prometheus-out-of-memory',
          'thanos-doctor fix prometheus-replay-killed-by-probe',
          'only where neither of them helped, go on',
        ],
      ),
      SNAPSHOT,
      step(
        'the operator holds still, and nothing uses the claim',
        [],
        [
          'kubectl --context CONTEXT -n NAMESPACE patch prometheus NAME --type merge -p \'{"spec":{"paused":true}}\'',
          'kubectl --context CONTEXT -n NAMESPACE scale statefulset/prometheus-NAME --replicas=0',
          'kubectl --context CONTEXT -n NAMESPACE get pods --watch',
        ],
      ),
      step(
        'the log is moved aside, not deleted',
        [],
        [
          'in a pod that mounts the claim, as the user of Prometheus (1000)',
          'mv /prometheus/wal /prometheus/wal.bad && mv /prometheus/chunks_head /prometheus/chunks_head.bad',
          'then delete that pod',
        ],
      ),
      step(
        'it runs again, and the operator works on it',
        [],
        [
          'kubectl --context CONTEXT -n NAMESPACE scale statefulset/prometheus-NAME --replicas=REPLICAS',
          'kubectl --context CONTEXT -n NAMESPACE patch prometheus NAME --type merge -p \'{"spec":{"paused":false}}\'',
        ],
      ),
      step('nothing is left of it', ['prometheus-paused', 'prometheus-wal-corrupt', 'prometheus-head-chunks-corrupt']),
      PROMETHEUS,
      SIDECARS,
      step(
        'after a day: what was moved aside goes',
        [],
        [
          'kubectl --context CONTEXT -n NAMESPACE exec POD -c prometheus -- rm -r /prometheus/wal.bad /prometheus/chunks_head.bad',
        ],
      ),
    ],
  },
  {
    id: 'backup-bucket',
    title: 'the blocks of a bucket are copied',
    steps: [
      step('what is copied is whole, and nothing deletes it', [
        'block-incomplete',
        'block-index-corrupt',
        'bucket-lifecycle-expires-blocks',
      ]),
      step(
        'the Compactor rests: a copy of a bucket that changes has blocks without their files',
        [],
        ['kubectl --context CONTEXT -n NAMESPACE scale statefulset/COMPACTOR --replicas=0'],
      ),
      step(
        'the copy, with credentials from the environment and not on the command line',
        [],
        [
          'https://KEY:SECRET@HOST, typed after this command',
          'read -rs MC_HOST_store && export MC_HOST_store',
          'mc mirror --overwrite=false store/BUCKET ./copy/',
          'a restore is the same the other way round: only blocks that lack, never over one that is there, the Compactor resting,',
          'and after it: thanos-doctor recover compactor-overlap',
        ],
      ),
      step(
        'as many blocks and as many bytes on both sides',
        [],
        [
          'mc find store/BUCKET --name meta.json | wc -l',
          'find ./copy -name meta.json | wc -l',
          'mc du store/BUCKET',
          'du -sb ./copy',
        ],
      ),
      COMPACTOR,
    ],
  },
  {
    id: 'backup-prometheus',
    title: 'the local data of Prometheus are copied',
    steps: [
      step('what is copied is whole', [
        'prometheus-down',
        'prometheus-tsdb-corrupt',
        'prometheus-wal-corrupt',
        'volume-faulted',
        'volume-degraded',
      ]),
      step(
        'a snapshot of each claim, one replica after another',
        [],
        [
          'in Longhorn, or with Velero: velero backup create NAME --include-namespaces NAMESPACE --snapshot-volumes',
          'each has to be ready before the next',
          'kubectl --context CONTEXT get snapshots.longhorn.io -A',
        ],
      ),
      step(
        'or a snapshot that Prometheus makes itself, streamed out, where spec.enableAdminAPI is set',
        [],
        [
          'kubectl --context CONTEXT -n NAMESPACE exec POD -c prometheus -- wget -qO- --post-data= http://localhost:9090/api/v1/admin/tsdb/snapshot',
          'kubectl --context CONTEXT -n NAMESPACE exec POD -c prometheus -- tar cf - -C /prometheus/snapshots . > backup.tar',
        ],
      ),
      step('it can be read again: a pod on the restored claim opens the data', [], ['promtool tsdb list /prometheus']),
    ],
  },
  {
    id: 'ask-for-help',
    title: 'somebody else is to look at it',
    steps: [
      step(
        'a bundle: redacted, with events, custom resources, claims and the logs of earlier runs',
        [],
        ['thanos-doctor collect -o incident.tar.gz'],
      ),
      step('what it says', [], ['thanos-doctor diagnose --bundle incident.tar.gz --format markdown > report.md']),
      step(
        'look through both, and give them to whoever helps',
        [],
        ['credentials are in neither; names of hosts, namespaces and addresses are'],
      ),
    ],
  },
];
