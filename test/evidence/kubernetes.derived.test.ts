import { describe, expect, it } from 'vitest';
import { collector as configMapsCollector } from '../../src/evidence/collectors/kubernetes.config-maps.ts';
import { collector as eventsCollector } from '../../src/evidence/collectors/kubernetes.events.ts';
import { collector as jobsCollector } from '../../src/evidence/collectors/kubernetes.jobs.ts';
import { classify, collector as failuresCollector } from '../../src/evidence/derived/kubernetes.create-failures.ts';
import { collector as capacityCollector } from '../../src/evidence/derived/kubernetes.node-capacity.ts';
import { collector as ownersCollector } from '../../src/evidence/derived/kubernetes.owners.ts';
import { collector as referencesCollector } from '../../src/evidence/derived/kubernetes.references.ts';
import { collector as schedulingCollector } from '../../src/evidence/derived/kubernetes.scheduling.ts';
import { collector as backendsCollector } from '../../src/evidence/derived/kubernetes.service-backends.ts';
import { gapOf } from '../../src/evidence/gaps.ts';
import { requestsOf } from '../../src/evidence/requests.ts';
import { parseSchedulerText } from '../../src/evidence/scheduler-text.ts';
import { ago, collect } from './fake-source.ts';
import { event, metadata, node, pod, replicaSet, waiting, workload } from './raw-objects.ts';

const FORBIDDEN = { reason: 'forbidden' as const };

describe('kubernetes.events', () => {
  it('takes the newest of its times, and cuts the words of combined events', async () => {
    const raw = {
      ...event({ name: 'p', reason: 'FailedCreate', message: '(combined from similar events): no' }),
      eventTime: ago(10),
      series: { count: 12, lastObservedTime: ago(5) },
    };
    const [row] = await collect(eventsCollector, { objects: { events: [raw] } });
    expect(row).toMatchObject({ message: 'no', lastAge: 5, count: 12 });
  });
});

describe('kubernetes.config-maps', () => {
  it('does not know values that a bundle emptied', async () => {
    const [emptied, kept] = await collect(configMapsCollector, {
      objects: {
        configmaps: [
          { metadata: metadata('a'), data: { x: '' } },
          { metadata: metadata('b'), data: { x: 'y' } },
        ],
      },
    });
    expect(emptied).toMatchObject({ keys: ['x'], contentKnown: false });
    expect(() => emptied?.data).toThrow('were not kept');
    expect(kept?.data.x).toBe('y');
  });
});

describe('kubernetes.jobs', () => {
  it('counts only the newest run of a CronJob', async () => {
    const job = (name: string, age: number) => ({
      metadata: metadata(name, { age, owner: { kind: 'CronJob', name: 'nightly' } }),
      spec: {},
      status: {},
    });
    const rows = await collect(jobsCollector, { objects: { 'batch/jobs': [job('old', 900), job('new', 60)] } });
    expect(rows.map(row => [row.name, row.newest])).toEqual([
      ['old', false],
      ['new', true],
    ]);
  });
});

describe('parseSchedulerText', () => {
  it('takes the text of 1.33 and of 1.34 apart', () => {
    for (const end of ['. preemption: 0/7 nodes …', '. no new claims to deallocate, preemption: 0/7 nodes …']) {
      const { nodes, reasons } = parseSchedulerText(
        `0/7 nodes are available: 3 node(s) had untolerated taint {a/b: c}, 4 Insufficient memory${end}`,
      );
      expect(nodes).toBe(7);
      expect(reasons.map(({ nodes: count, id, text }) => [count, id, text])).toEqual([
        [3, 'taint', 'node(s) had untolerated taint {a/b: c}'],
        [4, 'insufficient-memory', 'Insufficient memory'],
      ]);
      expect(reasons[0]?.taint).toEqual({ key: 'a/b', value: 'c' });
    }
  });

  it('does not take the stray "not found" of 1.34 for a missing claim', () => {
    const [unbound] = parseSchedulerText(
      '0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims. not found',
    ).reasons;
    expect(unbound).toMatchObject({ id: 'unbound-claim', nodes: 1 });
    const [missing] = parseSchedulerText(
      '0/1 nodes are available: persistentvolumeclaim "x" not found. not found',
    ).reasons;
    expect(missing?.id).toBe('missing-claim');
  });

  it('keeps a text that it does not know as other', () => {
    expect(parseSchedulerText('no nodes available to schedule pods').reasons).toMatchObject([
      { id: 'other', text: 'no nodes available to schedule pods' },
    ]);
  });
});

describe('kubernetes.scheduling', () => {
  const pending = (message: string, spec = {}) =>
    pod('p-0', {
      node: '',
      phase: 'Pending',
      ready: false,
      spec,
      conditions: [
        { type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message, lastTransitionTime: ago(200) },
      ],
    });
  const scheduling = (raw: unknown, nodes: unknown = [node('node-1')]) =>
    collect(schedulingCollector, { objects: { pods: [raw], 'apps/replicasets': [], nodes: nodes as never } });

  it('computes the taint that a newer scheduler does not name', async () => {
    const tainted = node('node-1', {
      spec: { taints: [{ key: 'k', value: 'v', effect: 'NoSchedule', timeAdded: ago(300) }] },
    });
    const [row] = await scheduling(
      pending('0/1 nodes are available: 1 node(s) had untolerated taint(s). preemption: …'),
      [tainted],
    );
    expect(row).toMatchObject({
      unschedulable: true,
      waitingFor: 200,
      blocking: ['taint'],
      taints: [{ node: 'node-1', key: 'k', value: 'v', addedAge: 300 }],
    });
  });

  it('does not count what is normal for some nodes, unless it excludes every node', async () => {
    const text = (count: number, rest: string) =>
      `0/3 nodes are available: ${count} node(s) didn't match Pod's node affinity/selector${rest}. preemption: …`;
    const [some] = await scheduling(pending(text(2, ', 1 Insufficient cpu')));
    expect(some?.blocking).toEqual(['insufficient-cpu']);
    const [all] = await scheduling(pending(text(3, '')));
    expect(all?.blocking).toEqual(['affinity']);
  });

  it('knows by the text whether it would fit an empty node, also without nodes', async () => {
    const text =
      '0/1 nodes are available: 1 Insufficient memory. preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.';
    const [row] = await scheduling(pending(text), FORBIDDEN);
    expect(row).toMatchObject({ fitsEmptyNode: false, blocking: ['insufficient-memory'] });
    expect(() => row?.taints).toThrow();
  });

  it('waits while victims are being evicted, and tells a silent scheduler', async () => {
    const text = '0/1 nodes are available: 1 Insufficient memory.';
    const nominated = pending(text);
    nominated.status.nominatedNodeName = 'node-1';
    expect((await scheduling(nominated))[0]?.unschedulable).toBe(false);
    const [silent] = await scheduling(pod('p-1', { node: '', phase: 'Pending', conditions: [], age: 100 }));
    expect(silent).toMatchObject({ schedulerSilent: true, unschedulable: false });
  });
});

describe('requests and capacity', () => {
  it('takes the larger of all containers together and the largest init container', () => {
    const container = (kind: string, memory: number) => ({ kind, requests: { cpu: 0, memory, storage: 0 } });
    const containers = [container('sidecar', 10), container('init', 100), container('main', 30)];
    expect(requestsOf({ containers, overhead: { cpu: 0, memory: 5 } }).memory).toBe(115);
  });

  it('does not count finished pods, and knows no sum where pods of a namespace are not known', async () => {
    const requesting = { containers: [{ name: 'c', resources: { requests: { memory: '1Gi', cpu: '500m' } } }] };
    const objects = {
      nodes: [node('node-1')],
      pods: [pod('a', requesting), pod('b', { ...requesting, phase: 'Succeeded' })],
      'apps/replicasets': [],
    };
    const [row] = await collect(capacityCollector, { objects });
    expect(row).toMatchObject({ requested: { cpu: 500, memory: 2 ** 30, pods: 1 }, free: { pods: 109 } });
    const [unsure] = await collect(capacityCollector, { objects, unread: { pods: ['other'] } });
    expect(() => unsure?.free).toThrow('forbidden');
    expect(unsure?.allocatable.pods).toBe(110);
  });
});

describe('kubernetes.references', () => {
  const mounting = (name: string, kind: 'secret' | 'configMap') => ({
    node: 'node-1',
    phase: 'Pending',
    ready: false,
    age: 200,
    volumes: [{ name: 'v', [kind]: kind === 'secret' ? { secretName: name } : { name } }],
    containers: [{ name: 'c', volumeMounts: [{ name: 'v', mountPath: '/v' }], status: waiting('ContainerCreating') }],
  });
  const base = {
    'apps/replicasets': [],
    'apps/deployments': [],
    'apps/statefulsets': [],
    'apps/daemonsets': [],
    persistentvolumeclaims: [],
    events: [],
    configmaps: [{ metadata: metadata('kube-root-ca.crt'), data: { 'ca.crt': 'x' } }],
  };

  it('believes the kubelet: a container that cannot be configured', async () => {
    const one = pod('p-0', {
      age: 200,
      containers: [
        {
          name: 'c',
          env: [{ name: 'X', valueFrom: { secretKeyRef: { name: 's', key: 'k' } } }],
          status: waiting('CreateContainerConfigError', "couldn't find key k in Secret m/s"),
        },
      ],
    });
    const [row] = await collect(referencesCollector, { objects: { ...base, pods: [one] } });
    expect(row).toMatchObject({
      objectKey: 'Secret m/s',
      key: 'k',
      existence: 'absent',
      missing: 'key',
      blockedFor: 200,
    });
    expect(row?.blocked[0]).toMatchObject({ container: 'c', pod: { key: 'Pod m/p-0' } });
  });

  it('believes FailedMount of a pod that hangs, and not of one that runs', async () => {
    const events = [
      event({
        name: 'p-0',
        reason: 'FailedMount',
        message: 'MountVolume.SetUp failed for volume "v" : secret "s" not found',
      }),
    ];
    const [hanging] = await collect(referencesCollector, {
      objects: { ...base, events, pods: [pod('p-0', mounting('s', 'secret'))] },
    });
    expect(hanging).toMatchObject({ existence: 'absent', missing: 'object' });
    const started = {
      ...mounting('s', 'secret'),
      phase: 'Running',
      containers: [{ name: 'c', volumeMounts: [{ name: 'v', mountPath: '/v' }] }],
    };
    const [well] = await collect(referencesCollector, { objects: { ...base, events, pods: [pod('p-0', started)] } });
    expect(well).toMatchObject({ existence: 'unknown', blocked: [] });
  });

  it('needs no event for a ConfigMap that the list of its namespace lacks', async () => {
    const pods = [pod('p-0', mounting('x', 'configMap'))];
    const [row] = await collect(referencesCollector, { objects: { ...base, events: FORBIDDEN, pods } });
    expect(row).toMatchObject({ existence: 'absent', missing: 'object', blockedFor: 200 });
    const [unlisted] = await collect(referencesCollector, { objects: { ...base, configmaps: [], pods } });
    expect(unlisted?.existence).toBe('unknown');
  });

  it('does not know of a Secret that a hanging pod mounts where events cannot be read', async () => {
    const pods = [pod('p-0', mounting('s', 'secret'))];
    const [row] = await collect(referencesCollector, { objects: { ...base, events: FORBIDDEN, pods } });
    expect(row?.name).toBe('s');
    expect(() => row?.existence).toThrow('forbidden');
  });
});

describe('kubernetes.create-failures', () => {
  it('names what refused', () => {
    const quota = 'pods "x" is forbidden: exceeded quota: team, requested: pods=1, used: pods=10, limited: pods=10';
    expect(classify(quota)).toEqual({ class: 'quota', name: 'team' });
    const webhook = 'Internal error occurred: failed calling webhook "w.example": failed to call webhook: Post …';
    expect(classify(webhook)).toEqual({ class: 'webhook', name: 'w.example' });
    expect(classify('error looking up service account m/x: serviceaccount "x" not found').class).toBe(
      'service-account',
    );
    expect(classify('pods "x" is forbidden: violates PodSecurity "restricted:latest": …').class).toBe('security');
    expect(classify('pods "x" is forbidden: no PriorityClass with name high was found')).toEqual({
      class: 'priority-class',
      name: 'high',
    });
  });

  const base = { 'apps/daemonsets': [], 'batch/jobs': [], 'apps/deployments': [], 'apps/replicasets': [] };
  const db = workload('db', { status: { replicas: 0 } });
  const refused = (age: number) =>
    event({ kind: 'StatefulSet', name: 'db', reason: 'FailedCreate', message: 'exceeded quota: q, …', age });

  it('tells that a CronJob may not start its run', async () => {
    const rows = await collect(failuresCollector, {
      objects: {
        ...base,
        'apps/statefulsets': [],
        'batch/cronjobs': [{ metadata: metadata('c'), spec: {} }],
        events: [event({ kind: 'CronJob', name: 'c', reason: 'FailedCreate', message: 'exceeded quota: q, …' })],
      },
    });
    expect(rows).toMatchObject([{ workload: { key: 'CronJob m/c' }, class: 'quota', name: 'q' }]);
  });

  it('takes an event unless a pod was created after it', async () => {
    const [row] = await collect(failuresCollector, {
      objects: { ...base, 'apps/statefulsets': [db], events: [refused(30)] },
    });
    expect(row).toMatchObject({ workload: { key: 'StatefulSet m/db' }, class: 'quota', name: 'q', fromEvent: true });
    const created = event({ kind: 'StatefulSet', name: 'db', reason: 'SuccessfulCreate', age: 10 });
    const none = await collect(failuresCollector, {
      objects: { ...base, 'apps/statefulsets': [db], events: [refused(30), created] },
    });
    expect(none).toEqual([]);
  });

  it('is not known for a StatefulSet short of pods without events, and is for one that has them', async () => {
    const whole = workload('web', { status: { replicas: 1 } });
    const rows = await collect(failuresCollector, {
      objects: { ...base, 'apps/statefulsets': [db, whole], events: FORBIDDEN },
    });
    expect(rows.map(row => row.workload.key)).toEqual(['StatefulSet m/db']);
    expect(() => rows[0]?.message).toThrow('forbidden');
  });

  it('reads the condition of a ReplicaSet without events', async () => {
    const conditions = [
      {
        type: 'ReplicaFailure',
        status: 'True',
        reason: 'FailedCreate',
        message: 'exceeded quota: q, x',
        lastTransitionTime: ago(90),
      },
    ];
    const rows = await collect(failuresCollector, {
      objects: {
        ...base,
        'apps/statefulsets': [],
        events: FORBIDDEN,
        'apps/replicasets': [
          replicaSet('web-a', { owner: { kind: 'Deployment', name: 'web' }, status: { conditions } }),
        ],
      },
    });
    expect(rows).toMatchObject([{ workload: { key: 'Deployment m/web' }, fromEvent: false, age: 90 }]);
  });
});

describe('kubernetes.service-backends', () => {
  const service = (spec: object) => ({
    metadata: metadata('s'),
    spec: { type: 'ClusterIP', selector: { app: 'x' }, ...spec },
  });
  const slice = (endpoints: readonly object[]) => ({
    metadata: metadata('s-1', { labels: { 'kubernetes.io/service-name': 's' } }),
    addressType: 'IPv4',
    endpoints,
  });
  const backends = (raw: object, slices: readonly object[], pods: unknown) =>
    collect(backendsCollector, {
      objects: {
        services: [raw],
        'discovery.k8s.io/endpointslices': slices,
        pods: pods as never,
        'apps/replicasets': [],
      },
    });
  const selected = (ready: boolean) => pod('p-0', { labels: { app: 'x' }, ready });

  it('says why it reaches none', async () => {
    expect((await backends(service({}), [], []))[0]?.why).toBe('none-selected');
    expect((await backends(service({}), [], [selected(false)]))[0]).toMatchObject({
      why: 'none-ready',
      unreadyPods: [{ pod: { key: 'Pod m/p-0' } }],
    });
    const named = service({ ports: [{ name: 'grpc', port: 10901, targetPort: 'grpc' }] });
    expect((await backends(named, [], [selected(true)]))[0]?.why).toBe('port-not-in-pod');
    expect((await backends(service({ selector: undefined }), [], []))[0]?.why).toBe('no-selector');
    const dummy = [slice([{ addresses: ['192.192.192.192'] }])];
    expect((await backends(service({ selector: undefined }), dummy, []))[0]).toMatchObject({ why: 'dummy', ready: 0 });
  });

  it('knows that it reaches a pod though pods cannot be listed', async () => {
    const slices = [slice([{ addresses: ['10.0.0.1'], conditions: { ready: true } }])];
    const [row] = await backends(service({}), slices, FORBIDDEN);
    expect(row).toMatchObject({ ready: 1, why: '' });
    expect(() => row?.matchedPods).toThrow();
    const [none] = await backends(service({}), [], FORBIDDEN);
    expect(() => none?.why).toThrow();
  });
});

describe('kubernetes.owners', () => {
  const base = {
    'apps/replicasets': [],
    'apps/deployments': [],
    'apps/daemonsets': [],
    'monitoring.coreos.com/prometheuses': [],
    'monitoring.coreos.com/alertmanagers': null,
    'monitoring.coreos.com/thanosrulers': null,
    'argoproj.io/applications': null,
  };

  it('writes to the custom resource that owns a StatefulSet', async () => {
    const owned = workload('prometheus-x', { owner: { kind: 'Prometheus', name: 'x' } });
    const one = pod('prometheus-x-0', { owner: { kind: 'StatefulSet', name: 'prometheus-x' } });
    const rows = await collect(ownersCollector, { objects: { ...base, 'apps/statefulsets': [owned], pods: [one] } });
    expect(rows.find(row => row.object.kind === 'Pod')).toMatchObject({
      workload: { key: 'StatefulSet m/prometheus-x' },
      writeTo: { key: 'Prometheus m/x' },
      operator: 'prometheus-operator',
      reverts: true,
    });
  });

  it('takes the label of a chart without a release for what was applied', async () => {
    const labelled = workload('a', { labels: { 'app.kubernetes.io/managed-by': 'Helm' } });
    const rows = await collect(ownersCollector, { objects: { ...base, 'apps/statefulsets': [labelled], pods: [] } });
    expect(rows[0]).toMatchObject({ gitops: 'kubectl-apply', reverts: false });
  });

  it('takes an Application for self-healing unless it says that it is not', async () => {
    const tracked = workload('a', { annotations: { 'argocd.argoproj.io/tracking-id': 'stack:apps/StatefulSet:m/a' } });
    const objects = { ...base, 'apps/statefulsets': [tracked], pods: [] };
    const [unknown] = await collect(ownersCollector, {
      objects: { ...objects, 'argoproj.io/applications': FORBIDDEN },
    });
    expect(unknown).toMatchObject({ gitops: 'argocd', gitopsObject: 'stack', reverts: true });
    const applications = [{ metadata: metadata('stack'), spec: { syncPolicy: {} } }];
    const [calm] = await collect(ownersCollector, {
      objects: { ...objects, 'argoproj.io/applications': applications },
    });
    expect(calm?.reverts).toBe(false);
  });

  it('keeps pods that could not be read as gaps', async () => {
    const rows = await collect(ownersCollector, { objects: { ...base, 'apps/statefulsets': [], pods: FORBIDDEN } });
    expect(rows.map(row => gapOf(row)?.reason)).toEqual(['forbidden']);
  });
});
