import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openBundleFiles } from '../../src/clusters/bundle-files.ts';
import { decodeList, decodeStatus } from '../../src/clusters/protobuf.ts';
import { PROTOBUF_KINDS } from '../../src/clusters/protobuf-fields.ts';
import type { FieldKind, Message } from '../../src/clusters/protobuf-message.ts';
import type { RawObject } from '../../src/model/source.ts';
import { type ApiClient, openApiClient } from './api-client.ts';
import { type ControlPlane, controlPlaneAssets, startControlPlane, TOKENS } from './control-plane.ts';

const assets = controlPlaneAssets();
const RECORDED = join(import.meta.dirname, '../incidents/two-faults/bundle.tar.gz');
const PROTOBUF = 'application/vnd.kubernetes.protobuf';

/** A pod that says everything that is read of pods. */
const POD: RawObject = {
  metadata: { name: 'whole', namespace: 'whole', labels: { a: '' }, annotations: { b: 'é 日本' }, finalizers: ['x/y'] },
  spec: {
    priority: 0,
    terminationGracePeriodSeconds: 0,
    nodeSelector: { disk: 'fast' },
    schedulingGates: [{ name: 'x/wait' }],
    tolerations: [{ key: 'k', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: -5 }],
    securityContext: { runAsUser: 0, runAsNonRoot: false },
    imagePullSecrets: [{ name: 'pull' }],
    initContainers: [{ name: 'side', image: 'x:1', restartPolicy: 'Always' }],
    containers: [
      {
        name: 'main',
        image: 'x:1',
        args: ['--a=é'],
        command: ['/x'],
        ports: [{ name: 'http', containerPort: 80 }],
        env: [
          { name: 'A', value: 'b' },
          { name: 'C', valueFrom: { secretKeyRef: { name: 's', key: 'k', optional: false } } },
          { name: 'D', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
        ],
        envFrom: [{ prefix: 'P_', configMapRef: { name: 'm', optional: true } }],
        resources: { limits: { cpu: '1500m', memory: '1Gi' }, requests: { 'ephemeral-storage': '1e3' } },
        volumeMounts: [{ name: 'data', mountPath: '/data', subPathExpr: '$(A)' }],
        livenessProbe: { httpGet: { path: '/', port: 'http' }, initialDelaySeconds: 3 },
        readinessProbe: { tcpSocket: { port: 8080 } },
        startupProbe: { exec: { command: ['true'] }, failureThreshold: 30 },
        securityContext: { runAsUser: 0, runAsNonRoot: true },
      },
    ],
    volumes: [
      { name: 'data', persistentVolumeClaim: { claimName: 'c', readOnly: true } },
      { name: 'secret', secret: { secretName: 's', optional: true, items: [{ key: 'k', path: 'p' }] } },
      { name: 'map', configMap: { name: 'm', items: [{ key: 'k', path: 'p' }] } },
      { name: 'empty', emptyDir: { sizeLimit: '1Gi' } },
      { name: 'host', hostPath: { path: '/x' } },
      { name: 'csi', csi: { driver: 'd' } },
      { name: 'nfs', nfs: { server: 's', path: '/' } },
      {
        name: 'all',
        projected: { sources: [{ secret: { name: 's' } }, { configMap: { name: 'm', optional: true } }] },
      },
    ],
  },
  status: {
    phase: 'Pending',
    reason: 'Because',
    podIP: '10.0.0.1',
    startTime: '2026-01-01T00:00:00Z',
    qosClass: 'Burstable',
    conditions: [{ type: 'Ready', status: 'False', lastProbeTime: null, lastTransitionTime: '2026-01-01T00:00:01Z' }],
    containerStatuses: [
      {
        name: 'main',
        image: '',
        imageID: '',
        ready: false,
        started: false,
        restartCount: 0,
        state: { waiting: { reason: 'CrashLoopBackOff' } },
        lastState: { terminated: { exitCode: 0, signal: 9, finishedAt: '2026-01-01T00:00:02Z', startedAt: null } },
      },
    ],
  },
};

const TEMPLATE = { spec: { restartPolicy: 'Never', containers: [{ name: 'main', image: 'x:1' }] } };

/** Jobs: recordings have few. */
const JOBS: readonly RawObject[] = [
  {
    metadata: { name: 'done', namespace: 'whole', annotations: { a: 'b' } },
    spec: { suspend: false, template: TEMPLATE },
    status: { startTime: '2026-01-01T00:00:00Z', active: 1, ready: 0 },
  },
  { metadata: { name: 'waits', namespace: 'whole' }, spec: { suspend: true, template: TEMPLATE } },
];

describe.skipIf(assets === '')('lists of a real API server', () => {
  let plane: ControlPlane;
  let api: ApiClient;

  beforeAll(async () => {
    plane = await startControlPlane(assets);
    api = openApiClient(plane, TOKENS.tester);
    for (const [kind, objects] of await recordedObjects()) for (const object of objects) await put(kind, object);
  }, 240_000);
  afterAll(async () => {
    api?.close();
    await plane?.close();
  });

  test.each([...PROTOBUF_KINDS])('%s: the same objects from both encodings', async (kind, message) => {
    const json = await listed(kind, 'application/json');
    const items: readonly RawObject[] = JSON.parse(json.body.toString('utf8')).items;
    expect(items.length).toBeGreaterThan(0);
    const binary = await listed(kind, `${PROTOBUF}, application/json`);
    expect(binary.headers['content-type']).toBe(PROTOBUF);
    expect(decodeList(binary.body, message).items).toEqual(items.map(item => asRead(item, message)));
  });

  test('pages go on from one to the next', async () => {
    const first = decodeList((await listed('/pods', PROTOBUF, '?limit=1')).body, PROTOBUF_KINDS.get('/pods')!);
    expect(first.items).toHaveLength(1);
    expect(first.next).not.toBe('');
    const query = `?limit=1&continue=${encodeURIComponent(first.next)}`;
    const second = decodeList((await listed('/pods', PROTOBUF, query)).body, PROTOBUF_KINDS.get('/pods')!);
    expect(second.items[0].metadata.uid).not.toBe(first.items[0].metadata.uid);
  });

  test('a refusal is understood', async () => {
    const { status, body } = await api.send({
      method: 'GET',
      target: '/api/v1/pods?limit=1&continue=nonsense',
      token: TOKENS.tester,
      headers: { accept: PROTOBUF },
    });
    expect(status).toBe(400);
    expect(decodeStatus(body)).toMatchObject({ kind: 'Status', status: 'Failure', code: 400, reason: 'BadRequest' });
  });

  function listed(kind: string, accept: string, query = '') {
    return api.send({ method: 'GET', target: rootOf(kind, '') + query, token: TOKENS.tester, headers: { accept } });
  }

  /** Writes an object and its status. What the real server refuses of a recording is left out. */
  async function put(kind: string, { status, ...object }: RawObject): Promise<void> {
    const { metadata, spec } = object;
    const { name, namespace = '', labels, annotations, finalizers } = metadata;
    if (namespace) await api.json('POST', '/api/v1/namespaces', { metadata: { name: namespace } });
    const { clusterIP, clusterIPs, ...rest } = spec ?? {};
    // Recordings leave the templates of ReplicaSets out.
    if (kind === 'apps/replicasets') {
      rest.selector = { matchLabels: { a: 'b' } };
      rest.template = { metadata: { labels: { a: 'b' } }, spec: { containers: TEMPLATE.spec.containers } };
    }
    const kept = {
      ...object,
      metadata: { name, namespace, labels, annotations, finalizers },
      ...(spec && { spec: rest }),
    };
    const made = await api.json('POST', rootOf(kind, namespace), kept);
    if (made.kind === 'Status' || !status) return;
    await api.json('PUT', `${rootOf(kind, namespace)}/${name}/status`, { ...made, status });
  }
});

function rootOf(kind: string, namespace: string): string {
  const [group = '', resource = ''] = kind.split('/').length === 2 ? kind.split('/') : ['', kind];
  const root = group === '' ? '/api/v1' : `/apis/${group}/v1`;
  return `${root}${namespace ? `/namespaces/${namespace}` : ''}/${resource}`;
}

async function recordedObjects(): Promise<readonly (readonly [string, readonly RawObject[]])[]> {
  const files = await openBundleFiles(RECORDED);
  const found: [string, readonly RawObject[]][] = [
    ['/pods', [POD]],
    ['batch/jobs', JOBS],
  ];
  for (const kind of PROTOBUF_KINDS.keys()) {
    const [group, resource] = kind.split('/');
    const pattern = new RegExp(`/objects/${group || 'core'}/v1/${resource}\\.json$`);
    const path = [...files.paths].sort().find(candidate => pattern.test(candidate));
    if (!path) throw new Error(`the recording has no ${kind}`);
    found.push([kind, JSON.parse(Buffer.from((await files.read(path))!).toString('utf8')).items.slice(0, 40)]);
  }
  return found;
}

/** What is read of a message of an object as JSON. */
function asRead(object: RawObject, message: Message): RawObject {
  const read: RawObject = {};
  for (const [name, [, kind]] of Object.entries(message)) {
    if (name === '') {
      Object.assign(read, asRead(object, kind as Message));
      continue;
    }
    const value = object[name];
    if (value === undefined || value === null) continue;
    const one = (Array.isArray(kind) ? kind[0] : kind) as FieldKind;
    const inside = (element: RawObject) => (typeof one === 'object' ? asRead(element, one) : element);
    if (Array.isArray(kind)) {
      if (value.length > 0) read[name] = value.map(inside);
    } else if (value !== '' || one === 'text?') read[name] = inside(value);
  }
  return read;
}
