import type { EvidenceItem, Finding, Subject, Unknown } from '../../src/model/finding.ts';
import type { Gap } from '../../src/model/gap.ts';
import type { ClusterReport, FormatOptions, Report, TimelineEntry } from '../../src/model/report.ts';

export const TAKEN_AT = '2026-11-23T08:12:34Z';

export const TERMINAL: FormatOptions = {
  width: 100,
  color: false,
  unicode: true,
  all: false,
  timeZone: 'Asia/Seoul',
  terminal: true,
};
export const FILE: FormatOptions = { ...TERMINAL, timeZone: 'UTC', terminal: false };

export function subject(kind: string, namespace: string, name: string): Subject {
  return { kind, namespace, name };
}

export function findingOf(given: Partial<Finding> & Pick<Finding, 'rule'>): Finding {
  const cluster = given.cluster ?? 'west';
  const about = given.subject ?? subject('Pod', 'metrics', 'prometheus-0');
  return {
    id: `${given.rule}/${cluster}/${about.kind}/${about.namespace}/${about.name}`,
    title: `Something fails of ${given.rule}`,
    severity: 'critical',
    cluster,
    subject: about,
    message: '',
    since: '',
    facts: {},
    evidence: [],
    root: (given.causedBy ?? []).length === 0,
    causedBy: [],
    atRisk: '',
    fix: { byHand: '', automatic: '' },
    involves: [],
    ...given,
  };
}

export function logLine(line: string, given: Partial<EvidenceItem> = {}): EvidenceItem {
  const pod = given.pod ?? 'prometheus-0';
  const container = given.container ?? 'thanos-sidecar';
  return {
    evidence: 'logs.signatures',
    from: `logs/metrics/${pod}/${container}`,
    time: '2026-11-23T08:11:52Z',
    pod,
    container,
    line,
    count: 14,
    ...given,
  };
}

export function gapOf(given: Partial<Gap>): Gap {
  return { evidence: 'kubernetes.pods', reason: 'forbidden', detail: '', path: '', notLookedAt: false, ...given };
}

export function forbiddenLog(namespace: string, pod: string): Gap {
  return gapOf({
    evidence: 'logs.signatures',
    detail: `pods "${pod}" is forbidden: User "viewer" cannot get resource "pods/log" in API group "" in the namespace "${namespace}"`,
    path: `/api/v1/namespaces/${namespace}/pods/${pod}/log?container=prometheus`,
  });
}

export function unknownOf(rule: string, cluster: string, ...gaps: readonly [Gap, ...Gap[]]): Unknown {
  return { rule, cluster, gaps };
}

export function clusterOf(name: string, given: Partial<ClusterReport> = {}): ClusterReport {
  return {
    name,
    role: 'edge',
    reachable: true,
    problem: '',
    context: name,
    apiServer: `${name}.example:6443`,
    takenAt: TAKEN_AT,
    versions: { kubernetes: 'v1.34.4', prometheus: ['3.6.0'], thanos: ['0.39.2'] },
    deniedAccess: [],
    ways: ['pod proxy'],
    ...given,
  };
}

export function reportOf(given: Partial<Report> = {}): Report {
  const findings = given.findings ?? [];
  const unknowns = given.unknowns ?? [];
  const clusters = given.clusters ?? [clusterOf('hub', { role: 'hub' }), clusterOf('west'), clusterOf('east')];
  const hasProblem = findings.some(({ severity }) => severity !== 'info');
  return {
    schemaVersion: 1,
    verdict: hasProblem ? 'problems' : unknowns.length > 0 ? 'unknown' : 'healthy',
    takenAt: TAKEN_AT,
    fleet: 'demo',
    clusters,
    findings,
    roots: findings.filter(({ root }) => root).map(({ id }) => id),
    unknowns,
    notLookedAt: [],
    suspects: [],
    timeline: [],
    suppressed: [],
    counts: { rules: 120, checks: 143, subjects: 96, unknown: unknowns.length },
    run: {
      version: '0.1.0',
      command: 'thanos-doctor diagnose --contexts hub,west,east',
      seconds: 1.94,
      requests: 172,
      bytes: 4_201_337,
      partial: false,
      clusters: clusters.map(({ name }) => ({ name, seconds: 0.9, requests: 57, bytes: 1_400_000 })),
    },
    ...given,
  };
}

const SECRET = subject('Secret', 'metrics', 'objstore');

const speaksHttp = findingOf({
  rule: 'object-store-speaks-http',
  title: 'Thanos speaks HTTPS to an object store that answers in plain HTTP',
  subject: SECRET,
  message: 'thanos-sidecar talks HTTPS to s3.lab.example:443, but that endpoint answers in plain HTTP.',
  since: '2026-11-23T03:58:10Z',
  facts: {
    Endpoint: 's3.lab.example:443',
    insecure: false,
    'It answered in': 'http',
    'Configured in': 'Secret metrics/objstore, key objstore.yml',
    'Used by': ['prometheus-0', 'prometheus-1'],
  },
  evidence: [
    logLine(
      'ts=2026-11-23T08:11:52.411Z caller=shipper.go:263 level=warn component=sidecar msg="uploading failed" err="check exists: stat s3 object: Get \\"https://s3.lab.example/thanos/?location=\\": http: server gave HTTP response to HTTPS client" uploaded=0',
    ),
    {
      evidence: 'network.probe',
      from: 'probe s3.lab.example:443',
      time: TAKEN_AT,
      pod: '',
      container: '',
      line: '',
      count: 0,
    },
  ],
  atRisk:
    'Local blocks are dropped after 6 h: from 2026-11-23T09:58:00Z on, data that is in no bucket is lost for good.',
  fix: {
    byHand: [
      'In Secret metrics/objstore set `insecure: true` under `config:`, or give the store a certificate.',
      'kubectl --context west -n metrics edit secret objstore',
      '# The configuration is read at start only:',
      'kubectl --context west -n metrics rollout restart statefulset/prometheus',
    ].join('\n'),
    automatic: 'thanos.allow-plain-http',
  },
  involves: ['Secret metrics/objstore'],
});

const notUploading = findingOf({
  rule: 'sidecar-not-uploading',
  title: 'A sidecar does not upload its blocks',
  subject: subject('Prometheus', 'metrics', 'prometheus'),
  message: 'No block of prometheus-0 was uploaded since 2026-11-23T04:00:02Z.',
  since: '2026-11-23T04:00:02Z',
  causedBy: [speaksHttp.id],
});

const producerSilent = findingOf({
  rule: 'producer-stopped-uploading',
  title: 'A producer has stopped to upload',
  severity: 'warning',
  cluster: 'fleet',
  subject: subject('Producer', '', 'cluster="west"'),
  message: 'The newest block of cluster="west" ends at 2026-11-23T04:00:00Z.',
  causedBy: [notUploading.id],
});

const poolExhausted = findingOf({
  rule: 'load-balancer-pending-pool-exhausted',
  title: 'An address pool has no free address left and Services wait for one',
  cluster: 'east',
  subject: subject('CiliumLoadBalancerIPPool', '', 'east-pool'),
  message: 'All 4 addresses of east-pool are taken; metrics/thanos-sidecar-external waits for one.',
  since: '2026-11-23T07:41:00Z',
  facts: {
    Range: '10.20.0.10 to 10.20.0.13',
    Taken: 4,
    Waiting: ['metrics/thanos-sidecar-external'],
  },
  atRisk: 'The hub cannot query the last 2 h of east until the Service has an address.',
  fix: {
    byHand: [
      '# append a block, never replace one in place:',
      `kubectl --context east patch ciliumloadbalancerippools.cilium.io east-pool --type=json -p '[{"op":"add","path":"/spec/blocks/-","value":{"start":"10.20.0.20","stop":"10.20.0.29"}}]'`,
    ].join('\n'),
    automatic: '',
  },
});

const edgeMissing = findingOf({
  rule: 'edge-missing-from-query',
  title: 'The hub does not see an edge',
  cluster: 'fleet',
  subject: subject('Cluster', '', 'east'),
  message: 'No store of the hub announces cluster="east".',
  causedBy: [poolExhausted.id],
});

const endpointDown = findingOf({
  rule: 'query-endpoint-down',
  title: 'Query has lost an endpoint',
  severity: 'warning',
  cluster: 'hub',
  subject: subject('Endpoint', '', '10.20.0.14:10901'),
  message: '10.20.0.14:10901 gave no answer: connection refused.',
  since: '2026-11-23T07:42:00Z',
  causedBy: [poolExhausted.id],
});

const diskFilling = findingOf({
  rule: 'claim-nearly-full',
  title: 'A volume is nearly full',
  severity: 'warning',
  cluster: 'hub',
  subject: subject('PersistentVolumeClaim', 'metrics', 'data-thanos-compactor-0'),
  message: 'data-thanos-compactor-0 is 93 % full: 7 GiB of 100 GiB are free.',
  since: '2026-11-22T19:05:00Z',
  facts: { Free: '7 GiB of 100 GiB', 'Full in': 'about 9 h at the rate of the last 6 h', Class: 'longhorn' },
  atRisk: 'The compactor halts when the volume is full, and blocks are no longer downsampled.',
  fix: {
    byHand:
      'kubectl --context hub -n metrics patch pvc data-thanos-compactor-0 -p \'{"spec":{"resources":{"requests":{"storage":"200Gi"}}}}\'',
    automatic: 'storage.expand-claim',
  },
});

const timeline: readonly TimelineEntry[] = [
  {
    time: '2026-11-22T19:05:00Z',
    cluster: 'hub',
    object: 'PersistentVolumeClaim metrics/data-thanos-compactor-0',
    what: 'less than 15 % free',
    source: 'finding',
  },
  {
    time: '2026-11-23T03:57:41Z',
    cluster: 'west',
    object: 'Secret metrics/objstore',
    what: 'changed by kubectl-edit',
    source: 'event',
  },
  {
    time: '2026-11-23T03:58:10Z',
    cluster: 'west',
    object: 'Pod metrics/prometheus-0',
    what: 'container thanos-sidecar restarted',
    source: 'restart',
  },
  {
    time: '2026-11-23T07:41:00Z',
    cluster: 'east',
    object: 'Service metrics/thanos-sidecar-external',
    what: 'no address: out_of_ips',
    source: 'condition',
  },
];

/** Three root causes, a cluster that was not reached, logs that may not be read. */
export const THREE_ROOTS: Report = reportOf({
  clusters: [
    clusterOf('hub', { role: 'hub', deniedAccess: ['get pods/log in longhorn-system'] }),
    clusterOf('west'),
    clusterOf('east'),
    clusterOf('north', { reachable: false, problem: 'no answer from 10.9.0.7:6443 (no route to host)', ways: [] }),
  ],
  findings: [speaksHttp, notUploading, producerSilent, poolExhausted, edgeMissing, endpointDown, diskFilling],
  unknowns: [
    unknownOf('longhorn-engine-fails', 'hub', forbiddenLog('longhorn-system', 'longhorn-manager-x7k2p')),
    unknownOf('attacher-down', 'hub', forbiddenLog('longhorn-system', 'csi-attacher-0')),
    unknownOf(
      'prometheus-down',
      'north',
      gapOf({
        reason: 'unreachable',
        evidence: 'kubernetes.server',
        detail: 'no answer from 10.9.0.7:6443 (no route to host)',
        path: '/version',
      }),
    ),
  ],
  suspects: [
    {
      finding: diskFilling.id,
      rule: 'compactor-leaves-partial-blocks',
      cluster: 'hub',
      gaps: [forbiddenLog('metrics', 'thanos-compactor-0')],
    },
  ],
  notLookedAt: [
    {
      cluster: 'hub',
      gap: gapOf({
        evidence: 'bucket.blocks',
        reason: 'not-asked',
        detail: 'buckets are read with --buckets',
        notLookedAt: true,
      }),
      rules: ['bucket-has-overlaps'],
    },
    {
      cluster: 'west',
      gap: gapOf({
        evidence: 'bucket.blocks',
        reason: 'not-asked',
        detail: 'buckets are read with --buckets',
        notLookedAt: true,
      }),
      rules: ['bucket-has-overlaps', 'bucket-empty'],
    },
  ],
  timeline,
});

/** The first root of it alone. */
export const ONE_ROOT: Report = reportOf({
  findings: [speaksHttp, notUploading, producerSilent],
  timeline: timeline.slice(1, 3),
});

/** Nothing wrong, one thing worth knowing, one thing that nobody asked for. */
export const HEALTHY: Report = reportOf({
  findings: [
    findingOf({
      rule: 'thanos-versions-differ',
      title: 'Thanos runs in several versions',
      severity: 'info',
      cluster: 'fleet',
      subject: subject('Fleet', '', 'demo'),
      message: 'hub runs 0.39.2, west 0.37.2.',
      root: false,
    }),
  ],
  notLookedAt: THREE_ROOTS.notLookedAt,
});

/** An account that may list objects and nothing else. */
export const FORBIDDEN: Report = reportOf({
  unknowns: ['hub', 'west'].flatMap(cluster => [
    unknownOf('sidecar-not-uploading', cluster, forbiddenLog('metrics', 'prometheus-0')),
    unknownOf('compactor-halted', cluster, forbiddenLog('metrics', 'thanos-compactor-0')),
    unknownOf(
      'target-down',
      cluster,
      gapOf({
        evidence: 'prometheus.targets',
        detail:
          'pods "prometheus-0:9090" is forbidden: User "viewer" cannot get resource "pods/proxy" in API group "" in the namespace "metrics"',
        path: '/api/v1/namespaces/metrics/pods/prometheus-0:9090/proxy/api/v1/targets?state=active',
      }),
    ),
    unknownOf(
      'object-store-key-unknown',
      cluster,
      gapOf({
        evidence: 'thanos.object-stores',
        detail: 'secrets "objstore" is forbidden',
        path: '/api/v1/namespaces/metrics/secrets/objstore',
      }),
    ),
    unknownOf(
      'bucket-missing',
      cluster,
      gapOf({ evidence: 'bucket.answer', reason: 'timed-out', detail: 'no answer within 8 s', path: 's3://thanos' }),
    ),
  ]),
});

/** One rule, many places. */
export const MANY_PLACES: Report = reportOf({
  findings: ['hub', 'west', 'east'].flatMap(cluster =>
    [1, 2, 3].map(number =>
      findingOf({
        rule: 'node-disk-filling',
        title: "A node's disk is filling up",
        severity: 'warning',
        cluster,
        subject: subject('Node', '', `${cluster}-worker-${number}`),
        message: `${cluster}-worker-${number} has ${number} % free.`,
        since: `2026-11-23T0${number}:10:00Z`,
        facts: { Filesystem: 'nodefs', Free: `${number} %` },
        fix: {
          byHand: `kubectl --context ${cluster} debug node/${cluster}-worker-${number} -it --image=busybox`,
          automatic: '',
        },
      }),
    ),
  ),
});

/** Everything that a log, an annotation or a server could try. */
export const HOSTILE = [
  '\u001b[2J\u001b[31mred\u001b[0m',
  '\u001b]0;title\u0007\u001b]8;;http://evil\u001b\\link\u001b]8;;\u001b\\',
  '\u001bPpayload\u001b\\ \u0090c1\u009c \u009b31m',
  '```\n````sh\nrm -rf /\n```',
  '~~~',
  '</details></summary><script>alert(1)</script><img src=x onerror=alert(1)>',
  '| a | b |\\| c',
  'over\rwritten\b\b\u0000',
  '\u202etxt.exe\u2066 \u200b\u200f\ufeff',
  '[click](javascript:alert(1)) ![](http://evil/p.png) <http://evil> www.evil.example',
  '@everyone #1 !2 $x^2$ :tada: https://evil.example/a?b=c _em_ **bold** <!-- -->',
  '# heading\n---\n===\n- [x] done\n1. one\n> quote',
  '\u2028line\u2029separator\u0085next',
  '`` ` `` &lt; &#60;script&#62;',
] as const;

/** The same finding, every text of it hostile. */
export function hostileReport(text: string): Report {
  const finding = findingOf({
    rule: 'object-store-speaks-http',
    title: `Title ${text}`,
    cluster: 'west',
    subject: subject('Secret', 'metrics', `name ${text}`),
    message: `Message ${text}`,
    since: '2026-11-23T03:58:10Z',
    facts: {
      [`Label ${text}`]: text,
      List: [text, { [text]: text }],
      ...(JSON.parse('{"__proto__": {"polluted": "yes"}}') as object),
    },
    evidence: [logLine(text), { ...logLine(''), from: text, count: 0 }],
    atRisk: text,
    fix: { byHand: `${text}\nkubectl get pods # ${text}`, automatic: '' },
  });
  const symptom = findingOf({ rule: 'sidecar-not-uploading', title: text, message: text, causedBy: [finding.id] });
  const info = findingOf({ rule: 'thanos-versions-differ', severity: 'info', title: text, message: text, root: false });
  return reportOf({
    fleet: text,
    clusters: [
      clusterOf('west', { problem: '', deniedAccess: [text], ways: [text], apiServer: text }),
      clusterOf('north', { reachable: false, problem: text }),
    ],
    findings: [finding, symptom, info],
    unknowns: [unknownOf('target-down', 'west', gapOf({ reason: 'malformed', detail: text, path: text }))],
    notLookedAt: [
      { cluster: 'west', gap: gapOf({ reason: 'not-asked', detail: text, notLookedAt: true }), rules: [text] },
    ],
    suspects: [
      { finding: finding.id, rule: 'object-store-unreachable', cluster: 'west', gaps: [gapOf({ detail: text })] },
    ],
    timeline: [{ time: TAKEN_AT, cluster: 'west', object: text, what: text, source: 'log' }],
    suppressed: [true, false].map(expired => ({
      finding: text,
      rule: 'pool-exhausted',
      cluster: text,
      subject: text,
      severity: 'critical' as const,
      message: text,
      reason: text,
      until: '2026-12-01',
      expired,
      through: '',
    })),
    tuned: [{ rule: text, what: text, from: text, to: text }],
  });
}
