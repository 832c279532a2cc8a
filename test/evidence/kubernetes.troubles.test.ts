import { describe, expect, it } from 'vitest';
import { collector as budgetsCollector } from '../../src/evidence/collectors/kubernetes.pod-disruption-budgets.ts';
import { collector as podsCollector } from '../../src/evidence/collectors/kubernetes.pods.ts';
import { collector as quotasCollector } from '../../src/evidence/collectors/kubernetes.resource-quotas.ts';
import { collector as containersCollector } from '../../src/evidence/derived/kubernetes.containers.ts';
import { collector as crashesCollector } from '../../src/evidence/derived/kubernetes.crashes.ts';
import {
  classifyPull,
  collector as pullsCollector,
  registryOf,
} from '../../src/evidence/derived/kubernetes.image-pulls.ts';
import { collector as scopeCollector } from '../../src/evidence/derived/kubernetes.scope.ts';
import { collector as trapsCollector } from '../../src/evidence/derived/kubernetes.trapped-pods.ts';
import { collector as workloadsCollector } from '../../src/evidence/derived/kubernetes.workloads.ts';
import { gapOf, known } from '../../src/evidence/gaps.ts';
import { ago, collect, type FakeCluster } from './fake-source.ts';
import { crashed, event, metadata, pod, replicaSet, running, waiting, workload } from './raw-objects.ts';

const FORBIDDEN = { reason: 'forbidden' as const };

describe('looping', () => {
  const loops = async (status: object) => {
    const pods = [pod('p-0', { containers: [{ name: 'c', status }] })];
    const [row] = await collect(containersCollector, { objects: { pods, 'apps/replicasets': [] } });
    return row!.crashLooping;
  };
  const ended = (age: number, ranFor: number) => ({
    terminated: { exitCode: 1, reason: 'Error', startedAt: ago(age + ranFor), finishedAt: ago(age) },
  });

  it('is not over because one looks while the container runs', async () => {
    expect(await loops({ ...running(ago(20)), restartCount: 5, lastState: ended(40, 30) })).toBe(true);
    expect(await loops({ ...running(ago(300)), restartCount: 5, lastState: ended(320, 30) })).toBe(false);
    expect(await loops({ ...running(ago(20)), restartCount: 1, lastState: ended(40, 30) })).toBe(false);
  });
});

describe('stuckCreatingFor', () => {
  const scheduled = { type: 'PodScheduled', status: 'True', lastTransitionTime: ago(240) };
  const stuck = async (conditions: readonly object[]) => {
    const raw = pod('p-0', {
      phase: 'Pending',
      conditions: [scheduled, ...conditions],
      containers: [{ name: 'c', status: waiting('ContainerCreating') }],
    });
    const [row] = await collect(podsCollector, { objects: { pods: [raw], 'apps/replicasets': [] } });
    return row!.stuckCreatingFor;
  };

  it('waits longer for an image than for volumes and sandbox', async () => {
    expect(await stuck([{ type: 'PodReadyToStartContainers', status: 'False' }])).toBe(240);
    expect(await stuck([{ type: 'PodReadyToStartContainers', status: 'True' }])).toBe(-1);
  });
});

describe('kubernetes.image-pulls', () => {
  const tail = 'failed to pull and unpack image "x": failed to resolve reference "x": ';

  it('tells what the registry answered', () => {
    const answers: readonly (readonly [string, string])[] = [
      [`${tail}x: not found`, 'missing'],
      ['failed to pull and unpack image "x": no match for platform in manifest: not found', 'architecture'],
      [`${tail}pull access denied, repository does not exist or may require authorization`, 'unauthorized'],
      [`${tail}failed to authorize: failed to fetch anonymous token: 429 Too Many Requests`, 'rate-limited'],
      [
        `${tail}failed to do request: Head "https://r.example": dial tcp: lookup r.example on 10.0.0.1:53: no such host`,
        'registry',
      ],
      [`${tail}failed to fetch anonymous token: Get "https://a": dial tcp 192.0.2.1:443: i/o timeout`, 'registry'],
      [`${tail}tls: failed to verify certificate: x509: certificate signed by unknown authority`, 'certificate'],
      ['write /var/lib/containerd/x: no space left on device', 'disk'],
      ['Back-off pulling image "x"', 'other'],
    ];
    expect(answers.map(([message]) => classifyPull('ImagePullBackOff', message))).toEqual(
      answers.map(([, name]) => name),
    );
    expect(classifyPull('InvalidImageName', '')).toBe('name-invalid');
  });

  it('knows the registry of an image', () => {
    expect(['quay.io/a/b:1', 'localhost/a', 'r:5000/a', 'thanos/thanos', 'nginx'].map(registryOf)).toEqual([
      'quay.io',
      'localhost',
      'r:5000',
      'docker.io',
      'docker.io',
    ]);
  });

  it('asks events where the state says only that it backs off', async () => {
    const raw = pod('p-0', {
      phase: 'Pending',
      age: 300,
      containers: [{ name: 'c', image: 'x', status: waiting('ImagePullBackOff', 'Back-off pulling image "x"') }],
    });
    const events = [event({ name: 'p-0', reason: 'Failed', message: 'Failed to pull image "x": x: not found' })];
    const [row] = await collect(pullsCollector, { objects: { pods: [raw], 'apps/replicasets': [], events } });
    expect(row).toMatchObject({ class: 'missing', waitingFor: 300 });
    const [other] = await collect(pullsCollector, {
      objects: { pods: [raw], 'apps/replicasets': [], events: FORBIDDEN },
    });
    expect(other?.class).toBe('other');
  });
});

describe('kubernetes.crashes', () => {
  const status = crashed({ exitCode: 1, finished: ago(30) });
  const cluster = (log: string | undefined): FakeCluster => ({
    objects: {
      pods: [pod('p-0', { containers: [{ name: 'c', status }] })],
      'apps/replicasets': [],
      events: [
        event({ name: 'p-0', reason: 'Killing', message: 'Container c failed liveness probe, will be restarted' }),
      ],
    },
    logs: () => log,
  });

  it('finds what did not answer and what was rejected at the end of the run', async () => {
    const [row] = await collect(
      crashesCollector,
      cluster(
        [
          `${ago(31)} level=info msg="dial tcp 192.0.2.9:1: i/o timeout"`,
          `${ago(30)} level=error err="dial tcp 10.96.0.7:5432: connect: connection refused"`,
          `${ago(30)} level=error err="dial tcp: lookup db.m.svc on 10.96.0.10:53: no such host"`,
          `${ago(30)} error: yaml: line 3: mapping values are not allowed`,
        ].join('\n'),
      ),
    );
    expect(known(row!.unanswered).map(({ host, port, isName }) => [host, port, isName])).toEqual([
      ['10.96.0.7', 5432, false],
      ['db.m.svc', 0, true],
    ]);
    expect(known(row!.configErrors).map(line => line.sample)).toEqual([
      'error: yaml: line 3: mapping values are not allowed',
    ]);
    expect(row).toMatchObject({ exitCode: 1, finishedAge: 30, probe: 'liveness' });
  });

  it('knows the claim below whose mount a file lies, and who showed a certificate that has expired', async () => {
    const mounted = {
      name: 'c',
      status,
      volumeMounts: [
        { name: 'data', mountPath: '/data' },
        { name: 'scratch', mountPath: '/data/tmp' },
      ],
    };
    const volumes = [
      { name: 'data', persistentVolumeClaim: { claimName: 'd-0' } },
      { name: 'scratch', emptyDir: {} },
    ];
    const lines = [
      `${ago(32)} level=error err="write /data/wal/1: no space left on device"`,
      `${ago(31)} level=error err="open /data/tmp/x: read-only file system"`,
      `${ago(31)} write "/database": input/output error`,
      `${ago(30)} level=error err="Get \\"https://Q.example/v2\\": x509: certificate has expired or is not yet valid: current time 2026-05-04T12:00:00Z is after 2026-05-01T00:00:00Z"`,
      `${ago(30)} level=error err="Get \\"https://r.example:8443/\\": x509: certificate has expired or is not yet valid: current time 2026-05-04T12:00:00Z is before 2026-05-05T00:00:00Z"`,
    ];
    const { objects } = cluster('');
    const [row] = await collect(crashesCollector, {
      objects: { ...objects, pods: [pod('p-0', { containers: [mounted], volumes })] },
      logs: () => lines.join('\n'),
    });
    expect(known(row!.files)).toEqual([
      { path: '/data/wal/1', trouble: 'no-space', claim: 'PersistentVolumeClaim m/d-0' },
      { path: '/data/tmp/x', trouble: 'read-only', claim: '' },
      { path: '/database', trouble: 'io-error', claim: '' },
    ]);
    expect(known(row!.expiredAt)).toEqual(['q.example:443']);
  });

  it('tells a probe by the length of the runs where its event is gone', async () => {
    const probed = (ranFor: number, restarts: number, log: string | undefined, events: FakeCluster['objects'] = {}) => {
      const run = { exitCode: 0, startedAt: ago(30 + ranFor), finishedAt: ago(30) };
      const ended = { ...crashed({ exitCode: 0, restarts }), lastState: { terminated: run } };
      const livenessProbe = { httpGet: { path: '/', port: 1 }, initialDelaySeconds: 10, periodSeconds: 10 };
      const { objects } = cluster('');
      return collect(crashesCollector, {
        objects: {
          ...objects,
          events: [],
          pods: [pod('p-0', { containers: [{ name: 'c', livenessProbe, status: ended }] })],
          ...events,
        },
        logs: () => log,
      });
    };
    const signal = `${ago(31)} level=info msg="caught signal. Exiting." signal=terminated`;
    expect((await probed(44, 5, signal))[0]!.probe).toBe('liveness');
    expect((await probed(44, 5, signal, { events: { reason: 'forbidden' } }))[0]!.probe).toBe('liveness');
    expect((await probed(44, 5, `${ago(31)} level=error err="broken"`))[0]!.probe).toBe('');
    expect((await probed(44, 2, signal))[0]!.probe).toBe('');
    expect((await probed(400, 5, signal))[0]!.probe).toBe('');
    const [unread] = await probed(44, 5, undefined);
    expect(() => unread!.probe).toThrow();
  });

  it('does not show a credential of the log', async () => {
    const [row] = await collect(crashesCollector, cluster(`${ago(30)} error: password=hunter2secret refused`));
    expect(JSON.stringify(known(row!.lastLines))).not.toContain('hunter2secret');
  });

  it('is a gap, and not silence, where the log cannot be read', async () => {
    const [row] = await collect(crashesCollector, cluster(undefined));
    expect(
      [row!.hits, row!.unanswered, row!.configErrors, row!.owned].map(list => gapOf(list[0])?.reason),
    ).not.toContain(undefined);
  });
});

describe('kubernetes.scope', () => {
  const none = {
    'monitoring.coreos.com/prometheuses': null,
    'monitoring.coreos.com/prometheusagents': null,
    'monitoring.coreos.com/alertmanagers': null,
    'monitoring.coreos.com/thanosrulers': null,
    'monitoring.coreos.com/servicemonitors': null,
    'monitoring.coreos.com/podmonitors': null,
    'monitoring.coreos.com/probes': null,
    'monitoring.coreos.com/scrapeconfigs': null,
    'monitoring.coreos.com/prometheusrules': null,
    'apps/replicasets': [],
  };
  const thanos = pod('q-1', {
    namespace: 'metrics',
    containers: [{ name: 'x', image: 'thanos/thanos:v1', args: ['query'] }],
  });
  const other = pod('shop-1', { namespace: 'shop', containers: [{ name: 'x', image: 'shop:1' }] });

  it('holds the namespaces of components, and no others', async () => {
    const rows = await collect(scopeCollector, { objects: { ...none, pods: [thanos, other] } });
    expect(rows.map(row => row.namespace)).toEqual(['kube-system', 'longhorn-system', 'metrics']);
  });

  it('does not know of the others where resources cannot be read', async () => {
    const objects = { ...none, 'monitoring.coreos.com/servicemonitors': FORBIDDEN, pods: [thanos, other] };
    const rows = await collect(scopeCollector, { objects });
    expect(rows.some(row => gapOf(row) !== undefined)).toBe(true);
    expect(known(rows).map(row => row.namespace)).toContain('metrics');
  });
});

describe('kubernetes.workloads', () => {
  const base = {
    'apps/deployments': [],
    'apps/statefulsets': [],
    'apps/daemonsets': [],
    'apps/replicasets': [],
    pods: [],
  };

  it('counts what the newest ReplicaSet lacks though the old pod stays', async () => {
    const deployment = { kind: 'Deployment', name: 'd' };
    const rows = await collect(workloadsCollector, {
      objects: {
        ...base,
        'apps/deployments': [workload('d', { status: { replicas: 1, readyReplicas: 1 } })],
        'apps/replicasets': [
          replicaSet('d-a', { owner: deployment, revision: 1 }),
          replicaSet('d-b', { owner: deployment, revision: 2 }),
        ],
        pods: [pod('d-a-1', { owner: { kind: 'ReplicaSet', name: 'd-a' } })],
      },
    });
    expect(rows[0]).toMatchObject({ wanted: 1, present: 1, lacking: 1, updatedReady: 0 });
  });

  it('lacks nothing while a set waits for the pod before', async () => {
    const pods = [pod('s-0', { owner: { kind: 'StatefulSet', name: 's' }, ready: false })];
    const ordered = workload('s', { spec: { replicas: 3 } });
    const parallel = workload('s', { spec: { replicas: 3, podManagementPolicy: 'Parallel' } });
    const lacking = async (set: object) => {
      const [row] = await collect(workloadsCollector, { objects: { ...base, 'apps/statefulsets': [set], pods } });
      return row!.lacking;
    };
    expect([await lacking(ordered), await lacking(parallel)]).toEqual([0, 2]);
  });

  it('knows what is wanted and not what is there where pods cannot be read', async () => {
    const [row] = await collect(workloadsCollector, {
      objects: { ...base, 'apps/deployments': [workload('d', { spec: { replicas: 0 } })], pods: FORBIDDEN },
    });
    expect(row!.wanted).toBe(0);
    expect(() => row!.lacking).toThrow('forbidden');
  });
});

describe('kubernetes.trapped-pods', () => {
  const trapped = async (spec: object, revision: string) => {
    const set = workload('s', { spec, status: { updateRevision: 'new', currentRevision: 'new' } });
    const labels = { 'controller-revision-hash': revision };
    const pods = [
      pod('s-1', { owner: { kind: 'StatefulSet', name: 's' }, labels: { 'controller-revision-hash': 'new' } }),
      pod('s-0', { owner: { kind: 'StatefulSet', name: 's' }, labels, ready: false }),
    ];
    const rows = await collect(trapsCollector, {
      objects: { 'apps/statefulsets': [set], pods, 'apps/replicasets': [] },
    });
    return rows.map(row => [row.pod.name, row.trapped]);
  };

  it('compares the pod that is waited for with the newest template', async () => {
    expect(await trapped({ replicas: 2 }, 'old')).toEqual([['s-0', true]]);
    expect(await trapped({ replicas: 2 }, 'new')).toEqual([['s-0', false]]);
    expect(await trapped({ replicas: 2, podManagementPolicy: 'Parallel' }, 'old')).toEqual([]);
    expect(await trapped({ replicas: 2, updateStrategy: { type: 'OnDelete' } }, 'old')).toEqual([]);
    expect(await trapped({ replicas: 2, updateStrategy: { rollingUpdate: { partition: 1 } } }, 'old')).toEqual([]);
  });
});

describe('budgets and quotas', () => {
  it('knows a budget that can never allow anything, and two over one pod', async () => {
    const budget = (name: string, spec: object) => ({
      metadata: metadata(name),
      spec: { selector: { matchLabels: { app: 'x' } }, ...spec },
      status: { expectedPods: 1, currentHealthy: 1, desiredHealthy: 1, disruptionsAllowed: 0 },
    });
    const rows = await collect(budgetsCollector, {
      objects: {
        'policy/poddisruptionbudgets': [budget('a', { minAvailable: 1 }), budget('b', { maxUnavailable: '50%' })],
        pods: [pod('x-0', { labels: { app: 'x' } })],
        'apps/replicasets': [],
      },
    });
    expect(rows.map(row => [row.never, row.sharedWith])).toEqual([
      [true, ['PodDisruptionBudget m/b']],
      [false, ['PodDisruptionBudget m/a']],
    ]);
  });

  it('compares quantities of different units', async () => {
    const quota = {
      metadata: metadata('q'),
      status: {
        hard: { 'requests.cpu': '1', 'requests.memory': '1Gi', pods: '10' },
        used: { 'requests.cpu': '1000m', 'requests.memory': '1000Mi', pods: '9' },
      },
    };
    const [row] = await collect(quotasCollector, { objects: { resourcequotas: [quota], limitranges: [] } });
    expect(row?.exhausted).toEqual(['requests.cpu']);
  });
});
