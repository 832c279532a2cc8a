import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { NO_EXPECTATIONS } from '../../src/app/diagnose.ts';
import { shareAlike } from '../../src/clusters/alike-parts.ts';
import { openBundleFiles } from '../../src/clusters/bundle-files.ts';
import { createFingerprint } from '../../src/clusters/fingerprint.ts';
import { openLiveCluster } from '../../src/clusters/live-source.ts';
import { BrokenMessage, decodeList, decodeStatus } from '../../src/clusters/protobuf.ts';
import { PROTOBUF_KINDS } from '../../src/clusters/protobuf-fields.ts';
import type { Message } from '../../src/clusters/protobuf-message.ts';
import { COLLECTORS } from '../../src/evidence/catalogue.ts';
import { gapOf } from '../../src/evidence/gaps.ts';
import { openEvidence } from '../../src/evidence/store.ts';
import type { RawObject } from '../../src/model/source.ts';
import { statusAnswer } from '../../src/simulator/answers.ts';
import { startFleet } from '../../src/simulator/fleet.ts';
import { binaryList, binaryObject, binaryStatus } from '../../src/simulator/protobuf-encoding.ts';
import { PROTOBUF_SCHEMA } from '../../src/simulator/protobuf-schema.ts';
import { syntheticBundle } from '../../src/simulator/synthetic.ts';

const FOLDER = join(import.meta.dirname, '../incidents');
const INCIDENTS = readdirSync(FOLDER).filter(name => existsSync(join(FOLDER, name, 'truth.yaml')));
/** What is read of the kinds that are read as protobuf. */
const EVIDENCE = [...COLLECTORS.values()]
  .filter(({ needs, derived }) => !derived && needs.some(need => PROTOBUF_KINDS.has(`${need.group}/${need.resource}`)))
  .filter(({ id, params }) => id.startsWith('kubernetes.') && params.length === 0)
  .map(({ id }) => id);

/** The clock of a simulated server goes on. */
const TAKEN_AT = '2026-11-24T00:00:00Z';
const fingerprint = createFingerprint();
const folder = mkdtempSync(join(tmpdir(), 'protobuf-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The evidence of the first cluster, with the bytes that it took. */
async function evidenceOf(bundle: string, protobuf: boolean) {
  const fleet = await startFleet(await openBundleFiles(bundle), { protobuf });
  try {
    const kubeconfig = join(folder, 'kubeconfig');
    writeFileSync(kubeconfig, fleet.kubeconfig);
    const context = fleet.clusters[0]!.name;
    const source = await openLiveCluster({ name: 'it', context, kubeconfig, environment: {}, fingerprint });
    const { clusters } = openEvidence([{ ...source, takenAt: () => TAKEN_AT }], new Map(), {
      collectors: COLLECTORS,
      expectations: NO_EXPECTATIONS,
      concurrency: 16,
    });
    const rows: Record<string, unknown> = {};
    for (const id of EVIDENCE) {
      const evidence = await clusters[0]!.collect(id, {});
      rows[id] = evidence.known ? (evidence.value as readonly unknown[]).map(row => gapOf(row) ?? row) : evidence.gap;
    }
    source.close();
    return { rows, bytes: source.usage().bytes };
  } finally {
    await fleet.close();
  }
}

test('the kinds of which there are thousands are all there', () => {
  expect(EVIDENCE).toEqual(
    expect.arrayContaining(['kubernetes.pods', 'kubernetes.events', 'kubernetes.jobs', 'kubernetes.nodes']),
  );
  expect(EVIDENCE.length).toBeGreaterThanOrEqual(PROTOBUF_KINDS.size);
});

test.each(INCIDENTS)('%s: every row is what it is from JSON, of fewer bytes', async name => {
  const bundle = join(FOLDER, name, 'bundle.tar.gz');
  const [json, protobuf] = [await evidenceOf(bundle, false), await evidenceOf(bundle, true)];
  expect(protobuf.rows).toEqual(json.rows);
  expect(protobuf.bytes).toBeLessThan(json.bytes);
});

/** Go types of the objects, by group and resource. */
const TYPES: Readonly<Record<string, string>> = {
  '/pods': 'core.Pod',
  '/events': 'core.Event',
  '/services': 'core.Service',
  '/nodes': 'core.Node',
  '/persistentvolumeclaims': 'core.PersistentVolumeClaim',
  'apps/deployments': 'apps.Deployment',
  'apps/replicasets': 'apps.ReplicaSet',
  'discovery.k8s.io/endpointslices': 'discovery.EndpointSlice',
  'batch/jobs': 'batch.Job',
};

describe('field numbers are those of the Go types', () => {
  test.each([...PROTOBUF_KINDS])('of %s', (kind, message) => {
    compare(message, TYPES[kind]!, new Set());
  });

  function compare(message: Message, type: string, seen: Set<string>): void {
    if (seen.has(type)) return;
    seen.add(type);
    const fields = new Map(PROTOBUF_SCHEMA.get(type)!.map(field => [field.name, field]));
    for (const [name, [number, kind]] of Object.entries(message)) {
      const field = fields.get(name);
      expect(field, `${type} has ${name}`).toBeDefined();
      expect(number, `${type}.${name}`).toBe(field!.number);
      expect(Array.isArray(kind), `${type}.${name} is repeated`).toBe(field!.repeated);
      const one = (Array.isArray(kind) ? kind[0] : kind) as Message | string;
      if (typeof one === 'string') expect(one, `${type}.${name}`).toBe(field!.kind);
      else compare(one, field!.kind, seen);
    }
  }
});

/** Names that rows have too, and that nobody reads of an object. */
const OF_ROWS = new Set(['revision', 'volume', 'time']);

test('no collector reads a field that protobuf does not bring', () => {
  const brought = new Set([...PROTOBUF_KINDS.values()].flatMap(message => [...namesIn(message)]));
  const all = new Set([...PROTOBUF_SCHEMA.values()].flatMap(fields => fields.map(({ name }) => name)));
  const words = new Set(SOURCES.flatMap(file => wordsOf(readFileSync(join(EVIDENCE_FOLDER, file), 'utf8'))));
  const missing = [...words].filter(word => all.has(word) && !brought.has(word) && !OF_ROWS.has(word));
  expect(missing, 'name them in src/clusters/protobuf-fields.ts').toEqual([]);
});

const EVIDENCE_FOLDER = join(import.meta.dirname, '../../src/evidence');
/** Where objects of these kinds are made into rows. */
const SOURCES = [
  ...EVIDENCE.map(id => `collectors/${id}.ts`),
  'objects.ts',
  'conditions.ts',
  'pod-containers.ts',
  'pod-templates.ts',
  'label-selectors.ts',
];

function namesIn(message: Message, names = new Set<string>()): ReadonlySet<string> {
  for (const [name, [, kind]] of Object.entries(message)) {
    names.add(name);
    const one = (Array.isArray(kind) ? kind[0] : kind) as Message | string;
    if (typeof one !== 'string') namesIn(one, names);
  }
  return names;
}

/** Every name after a dot, and every one that is taken out of an object. */
function wordsOf(code: string): readonly string[] {
  const bare = code.replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, '');
  const dotted = [...bare.matchAll(/\.(\w+)/g)].map(match => match[1]!);
  const taken = [...bare.matchAll(/\{([\w\s,]+)\}(?: =|\)|,)/g)].flatMap(match => match[1]!.split(/[\s,]+/));
  return [...dotted, ...taken];
}

const POD: Message = PROTOBUF_KINDS.get('/pods')!;

async function pods(count: number): Promise<readonly RawObject[]> {
  const bundle = await syntheticBundle({ clusters: 1, podsPerCluster: count });
  const path = [...bundle.paths].find(candidate => candidate.endsWith('/v1/pods.json'))!;
  return JSON.parse(Buffer.from((await bundle.read(path))!).toString('utf8')).items;
}

function page(objects: readonly Uint8Array[], next = ''): Buffer {
  return binaryList('v1', 'PodList', { resourceVersion: '1', continue: next }, objects).body;
}

describe('bytes that nobody wrote', () => {
  test('a page that ends anywhere before its end is refused', async () => {
    const body = page(
      (await pods(2)).map(pod => binaryObject('core.Pod', pod)),
      'token',
    );
    const whole = decodeList(body, POD);
    expect(whole.items).toHaveLength(2);
    expect(whole.next).toBe('token');
    for (let end = 0; end < body.length - 4; end += 1) {
      expect(() => decodeList(body.subarray(0, end), POD), `cut at ${end}`).toThrow(BrokenMessage);
    }
  });

  test('changed bytes are refused or give texts, numbers and lists, and nothing else', async () => {
    const body = page((await pods(1)).map(pod => binaryObject('core.Pod', pod)));
    const change = fc.tuple(fc.nat(body.length - 1), fc.nat(255));
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 6 }), changes => {
        const broken = Buffer.from(body);
        for (const [at, byte] of changes) broken[at] = byte;
        try {
          JSON.stringify(decodeList(broken, POD));
        } catch (error) {
          expect(error).toBeInstanceOf(BrokenMessage);
        }
      }),
      { numRuns: 2000 },
    );
  });

  test.each([
    ['nothing', Buffer.alloc(0)],
    ['JSON', Buffer.from('{"kind":"PodList","items":[]}')],
    ['an envelope alone', Buffer.from('k8s\0')],
    ['a length of 2^63', Buffer.from([...Buffer.from('k8s\0'), 0x12, 255, 255, 255, 255, 255, 255, 255, 255, 127])],
    ['a number without an end', Buffer.from([...Buffer.from('k8s\0'), ...Array(20).fill(255)])],
  ])('%s is refused', (_name, body) => {
    expect(() => decodeList(body, POD)).toThrow(BrokenMessage);
    expect(decodeStatus(body)).toBeUndefined();
  });

  test('a label of the name __proto__ is a label', () => {
    const labels = JSON.parse('{"__proto__": "x", "constructor": "y"}');
    const body = page([binaryObject('core.Pod', { metadata: { name: 'a', labels } })]);
    const [pod] = decodeList(body, POD).items;
    expect(Object.entries(pod.metadata.labels)).toEqual(Object.entries(labels));
    expect(({} as RawObject).x).toBeUndefined();
  });
});

describe('what siblings have alike', () => {
  const container = { name: 'app', image: 'a:1', args: ['--x'] };
  const token = (ending: string) => ({
    ...container,
    volumeMounts: [{ name: `kube-api-access-${ending}`, mountPath: '/var/run/secrets' }],
  });
  const pod = (name: string, ...containers: RawObject[]) =>
    binaryObject('core.Pod', { metadata: { name }, spec: { containers } });
  const containersOf = (...objects: Uint8Array[]) => {
    const alike: RawObject[] = [];
    const { items } = decodeList(
      page(objects),
      POD,
      object => object,
      part => alike.push(part),
    );
    return { containers: items.map(item => item.spec.containers), alike };
  };

  test('is one object, listed once', () => {
    const { containers, alike } = containersOf(pod('a', container), pod('b', container), pod('c', container));
    expect(containers).toEqual([[container], [container], [container]]);
    expect(containers[1][0]).toBe(containers[0][0]);
    expect(alike).toEqual([container]);
  });

  test('is told apart by any byte but the ending of a token volume', () => {
    const other = { ...container, args: ['--y'] };
    const { containers } = containersOf(pod('a', token('abcde')), pod('b', token('fghij')), pod('c', other));
    expect(containers[1][0]).toBe(containers[0][0]);
    expect(containers[2][0]).toEqual(other);
    const apart = containersOf(pod('a', container), pod('b', { ...container, args: ['--\u00e9'] }));
    expect(apart.containers[1][0].args).toEqual(['--\u00e9']);
  });

  test('is one object of what came as JSON, too', () => {
    const objects: RawObject[] = [token('abcde'), token('fghij'), { ...container, args: ['--y'] }].map(one => ({
      metadata: { name: 'a', ownerReferences: [null, 'x', { kind: 'x' }] },
      spec: { containers: [one], volumes: 'no list' },
    }));
    const before = structuredClone(objects);
    const alike: RawObject[] = [];
    shareAlike([...objects, {}, { spec: 7 }], POD, part => alike.push(part));
    expect(objects).toEqual([before[0], { ...before[1], spec: before[0]!.spec }, before[2]]);
    expect(objects[1].spec.containers[0]).toBe(objects[0].spec.containers[0]);
    expect(alike).toEqual([{ kind: 'x' }, token('abcde'), { ...container, args: ['--y'] }]);
  });

  test('of two messages with the same bytes, each is what it is', () => {
    const body = page([
      binaryObject('core.Pod', {
        metadata: { name: 'a', ownerReferences: [{ kind: 'x' }] },
        spec: { containers: [{ name: 'x' }], tolerations: [{ key: 'x' }] },
      }),
    ]);
    expect(decodeList(body, POD).items[0]).toMatchObject({
      metadata: { ownerReferences: [{ kind: 'x' }] },
      spec: { containers: [{ name: 'x' }], tolerations: [{ key: 'x' }] },
    });
  });
});

describe('values', () => {
  const decoded = (pod: RawObject) => decodeList(page([binaryObject('core.Pod', pod)]), POD).items[0];

  test.each([0, 1, -1, 127, 128, 2 ** 28, 2 ** 31 - 1, -(2 ** 31), 2 ** 35, -(2 ** 40), 2 ** 53 - 1])(
    'the number %s',
    priority => {
      expect(decoded({ metadata: { name: 'a' }, spec: { priority } }).spec.priority).toBe(priority);
    },
  );

  test.each(['a', 'é', '日本', '\u0000', 'x'.repeat(63), 'x'.repeat(64), 'x'.repeat(65), '\ufffd', '👍'])(
    'the text %j, twice',
    nodeName => {
      const pod = { metadata: { name: 'a' }, spec: { nodeName, schedulerName: nodeName } };
      expect(decoded(pod).spec).toMatchObject({ nodeName, schedulerName: nodeName });
    },
  );

  test('bytes that are no UTF-8 are replaced, and not taken for a text that was seen', () => {
    decoded({ metadata: { name: 'é' } });
    const body = page([Buffer.from([0x0a, 3, 0x0a, 1, 0xe9])]);
    expect(decodeList(body, POD).items[0].metadata.name).toBe('\ufffd');
  });

  test('an error of the API server', () => {
    const { body } = binaryStatus(statusAnswer(403, 'Forbidden', 'pods is forbidden'));
    expect(decodeStatus(body)).toMatchObject({ kind: 'Status', reason: 'Forbidden', message: 'pods is forbidden' });
  });
});
