import { describe, expect, it } from 'vitest';
import type { Block } from '../../src/evidence/components/blocks.ts';
import {
  blockSet,
  dueForDownsampling,
  incomplete,
  inTheFuture,
  keptFromCompaction,
  leftPartial,
  nearIndexLimit,
  notDeleted,
  outlivingRetention,
  overlapping,
  type Upkeep,
} from '../../src/evidence/components/bucket-states.ts';
import { codeOf, concernsEndpoint, verbOf } from '../../src/evidence/components/store-hits.ts';
import { collector as holesCollector } from '../../src/evidence/derived/bucket.holes.ts';
import { collector as upkeepCollector } from '../../src/evidence/derived/bucket.upkeep.ts';
import { collector as accessCollector } from '../../src/evidence/derived/thanos.store-access.ts';
import { gapElement } from '../../src/evidence/gaps.ts';
import { derive, type Given, gap } from './derive.ts';
import { ago, TAKEN_AT } from './fake-source.ts';

const HOUR = 3600;
const DAY = 24 * HOUR;

describe('what a user prints about its store', () => {
  it('knows which words are an answer of the store', () => {
    expect(codeOf('s3-no-such-bucket')).toBe('NoSuchBucket');
    expect(codeOf('s3-conn-refused')).toBe('');
  });

  it.each([
    ['err="upload 01: upload s3 object: Access Denied."', 'Put'],
    ['msg="failed to delete aborted partial upload" err="Access Denied."', 'Delete'],
    [
      'msg="failed to clean block after upload issue. Partial block in system" err="upload chunks: Access Denied."',
      'Delete',
    ],
    ['err="BaseFetcher: iter bucket: Access Denied."', 'List'],
    ['err="check exists: stat s3 object: Access Denied."', 'Head'],
    ['err="get meta file: 01/meta.json: Access Denied."', 'Get'],
    ['err="Access Denied."', ''],
  ])('%s was refused when it tried to %s', (line, verb) => {
    expect(verbOf(line)).toBe(verb);
  });

  it.each([
    ['the host itself', { host: 's3.example:9000' }, true],
    ['a bucket before the host', { host: 'blocks.s3.example' }, true],
    ['a search domain behind it', { host: 's3.example.monitoring.svc.cluster.local' }, true],
    ['another host', { host: 'old.example' }, false],
    ['no host', {}, true],
  ])('takes a line with %s as one about the endpoint', (_, captured, expected) => {
    const endpoint = { host: 's3.example', insecure: true };
    expect(concernsEndpoint({ id: 's3-conn-refused', captured }, endpoint)).toBe(expected);
  });

  it('takes a line about TLS as one of before, where plain HTTP is configured now', () => {
    const line = { id: 's3-http-response-to-https-client', captured: {} };
    expect(concernsEndpoint(line, { host: 'a', insecure: true })).toBe(false);
    expect(concernsEndpoint(line, { host: 'a', insecure: false })).toBe(true);
  });
});

const CONTAINER = 'Container m/gateway-0/gateway';
const STORE = {
  id: 'm/s/k',
  secret: { kind: 'Secret', namespace: 'm', name: 's', key: 'Secret m/s' },
  usedBy: [{ containerKey: CONTAINER }],
  type: 'S3',
  host: 's3.example',
  address: 's3.example:80',
  place: 'blocks@s3.example:80',
  insecure: true,
  readable: true,
  usable: true,
  answerIsS3: true,
};
const HIT = {
  id: 's3-invalid-access-key',
  fresh: true,
  containerKey: CONTAINER,
  workloadKey: 'StatefulSet m/gateway',
  component: 'store',
  first: ago(600),
  last: ago(30),
  count: 3,
};

function cluster(store: object, more: Readonly<Record<string, unknown>> = {}): Given {
  return {
    evidence: {
      'thanos.store-failures': [{ ...STORE, ...store }],
      'kubernetes.containers': [{ containerKey: CONTAINER, state: 'running', runningAge: 3600 }],
      'thanos.metrics': [],
      'thanos.loaded-blocks': [],
      'fleet.addresses': [],
      'kubernetes.ingresses': [],
      'kubernetes.service-backends': [],
      ...more,
    },
  };
}

const one = async (given: Given, others: Readonly<Record<string, Given>> = {}) =>
  (await derive(accessCollector, { here: given, ...others }))[0]!;

describe('thanos.store-access', () => {
  it('believes the answer from here before what a user heard', async () => {
    const row = await one(cluster({ answerCode: '', hits: [HIT] }));
    expect([row.refusal, row.refusalBy]).toEqual(['', 'answer']);
  });

  it('believes what a user heard, where the store did not answer from here', async () => {
    const row = await one(
      cluster({ answerIsS3: gap(), hits: [HIT, { ...HIT, id: 's3-no-such-bucket', last: ago(60) }] }),
    );
    expect([row.refusal, row.refusalBy]).toEqual(['InvalidAccessKeyId', 'log']);
  });

  it('does not know where neither was heard', async () => {
    const row = await one(cluster({ answerIsS3: gap('unreachable') }));
    expect(() => row.refusal).toThrow('unreachable');
  });

  it('takes a web page for no answer of a store', async () => {
    expect((await one(cluster({ answerIsS3: false, answerStatus: 404 }))).refusal).toBe('NotAnS3Answer');
  });

  it('sets apart what the store answered to a process that is older than the configuration', async () => {
    const restartedSince = [{ containerKey: CONTAINER, restarted: false }];
    const row = await one(cluster({ restartedSince, answerIsS3: gap('unreachable'), hits: [HIT] }));
    expect([row.hits.length, row.oldHits.length]).toEqual([0, 1]);
    expect(() => row.refusal).toThrow('unreachable');
  });

  it('leaves out lines that are not fresh, and a single refusal of the bucket viewer', async () => {
    const viewer = {
      ...HIT,
      id: 's3-access-denied',
      count: 1,
      sample: 'msg="function failed. Retrying in next tick" err="Access Denied."',
    };
    expect((await one(cluster({ hits: [{ ...HIT, fresh: false }, viewer] }))).heard).toEqual([]);
  });

  it('speaks for a running sidecar, not for the Prometheus beside it', async () => {
    const sidecar = {
      ...HIT,
      component: 'sidecar',
      running: true,
      subjectKey: 'Prometheus m/p',
      podKey: 'Pod m/gateway-0',
    };
    expect((await one(cluster({ hits: [sidecar] }))).heard[0]?.keys).toEqual([CONTAINER, 'Prometheus m/p']);
    const down = { ...sidecar, running: false };
    expect((await one(cluster({ hits: [down] }))).heard[0]?.keys).toContain('Pod m/gateway-0');
  });

  it('reads the place from the lines, where the configuration may not be read', async () => {
    const sample =
      'err="check exists: stat s3 object: Get \\"https://s3.example/blocks/?location=\\": dial tcp 192.0.2.80:443: connect: connection refused"';
    const row = await one(
      cluster({ address: gap(), place: gap(), host: gap(), hits: [{ ...HIT, id: 's3-conn-refused', sample }] }),
    );
    expect([row.endpointName, row.bucketName]).toEqual(['s3.example:443', 'blocks@s3.example:443']);
  });

  it('tells other configurations of the same host, and whether they work', async () => {
    const other = cluster({ id: 'm/o/k', bucket: 'other', credentials: { access: { fingerprint: 'x' } } });
    const row = await one(cluster({ credentials: { access: { fingerprint: 'x' } } }), { there: other });
    expect(row.others).toMatchObject([{ cluster: 'there', bucket: 'other', works: true, sameKey: true }]);
  });

  it('names containers that fail by their own numbers', async () => {
    const metrics = [{ containerKey: CONTAINER, component: 'sidecar', dirSyncs: 0 }];
    expect((await one(cluster({}, { 'thanos.metrics': metrics }))).failing).toEqual([CONTAINER]);
    const loaded = [{ containerKey: CONTAINER, error: 'failed' }];
    expect((await one(cluster({}, { 'thanos.loaded-blocks': loaded }))).failing).toEqual([CONTAINER]);
  });

  it('follows an Ingress and its Services to what serves the address', async () => {
    const more = {
      'kubernetes.ingresses': [
        { key: 'Ingress s/web', namespace: 's', hosts: ['s3.example'], backends: [{ service: 'minio' }] },
      ],
      'kubernetes.service-backends': [
        {
          service: { key: 'Service s/minio' },
          matchedPods: [{ key: 'Pod s/minio-0' }],
          workloads: [{ key: 'StatefulSet s/minio' }],
        },
      ],
    };
    expect((await one(cluster({}, more))).serving).toEqual([
      'Ingress s/web @here',
      'Service s/minio @here',
      'Pod s/minio-0 @here',
      'StatefulSet s/minio @here',
    ]);
  });

  it('sees where credentials can come from', async () => {
    const container = { containerKey: CONTAINER, env: [{ name: 'AWS_ROLE_ARN' }], envFrom: [{ fromSecret: 'keys' }] };
    const row = await one(cluster({}, { 'kubernetes.containers': [container] }));
    expect(row.credentialSources).toEqual(['environment', 'web identity']);
  });
});

const UPKEEP: Upkeep = {
  deleteDelay: 2 * DAY,
  consistencyDelay: 1800,
  retention: { 0: 7 * DAY, 300: 30 * DAY, 3600: 0 },
  downsamples: true,
  joinsOverlaps: false,
  indexLimit: 1000,
};

const NOTHING_MARKED = {
  deletion: false,
  deletionAt: '',
  deletionAge: -1,
  noCompact: false,
  noCompactAt: '',
  noCompactReason: '',
  noDownsample: false,
  noDownsampleAt: '',
  details: '',
};

/** A whole block that ended `end` seconds ago and is `length` seconds long. */
function block(id: string, end: number, length = 2 * HOUR, more: Partial<Block> = {}): Block {
  return {
    id,
    state: 'complete',
    created: ago(end - 60),
    createdAge: Math.max(0, end - 60),
    minTime: ago(end + length),
    maxTime: ago(end),
    maxAge: Math.max(0, end),
    labels: {},
    labelText: '{a="1"}',
    resolution: 0,
    level: 1,
    source: 'sidecar',
    sources: [id],
    size: 100,
    indexBytes: 10,
    files: 3,
    missing: [],
    truncated: [],
    samples: 1,
    series: 1,
    marks: NOTHING_MARKED,
    lastModified: ago(Math.max(0, end - 60)),
    lastModifiedAge: Math.max(0, end - 60),
    uploadLag: 10,
    live: true,
    ...more,
  };
}

const ids = (found: readonly { readonly block: Block }[]) => found.map(each => each.block.id);
const deleted = (age: number) => ({ ...NOTHING_MARKED, deletion: true, deletionAt: ago(age), deletionAge: age });

describe('blocks of a bucket', () => {
  it('are incomplete with a meta.json and without a file, unless they are being deleted', () => {
    const blocks = [
      block('A', DAY, 7200, { missing: ['index'] }),
      block('B', DAY, 7200, { truncated: ['chunks/000001'] }),
      block('C', DAY, 7200, { missing: ['index'], marks: deleted(60) }),
      block('D', DAY),
      block('E', DAY, 7200, { state: 'partial', missing: ['index'] }),
    ];
    expect(ids(incomplete(blocks))).toEqual(['A', 'B']);
  });

  it('are left half-uploaded after the two days that the Compactor waits, and half a day', () => {
    const partial = (id: string, createdAge: number) => block(id, createdAge, 7200, { state: 'partial', createdAge });
    expect(ids(leftPartial([partial('A', 61 * HOUR), partial('B', 50 * HOUR)]))).toEqual(['A']);
  });

  it('should be gone a day after the delay of their mark', () => {
    const blocks = [
      block('A', DAY, 7200, { marks: deleted(4 * DAY) }),
      block('B', DAY, 7200, { marks: deleted(2.5 * DAY) }),
    ];
    expect(ids(notDeleted(blocks, UPKEEP))).toEqual(['A']);
  });

  it('outlive the retention of their own resolution by their end, and never one of 0', () => {
    const blocks = [
      block('A', 9 * DAY),
      block('B', 6 * DAY, 14 * DAY),
      block('C', 9 * DAY, 7200, { resolution: 300 }),
      block('D', 400 * DAY, 7200, { resolution: 3600 }),
      block('E', 9 * DAY, 7200, { marks: deleted(60) }),
    ];
    expect(ids(outlivingRetention(blocks, UPKEEP))).toEqual(['A']);
  });

  it('are due for downsampling when they are long enough, a day old, and nothing of the next resolution covers them', () => {
    const blocks = [
      block('LONG', 2 * DAY, 48 * HOUR),
      block('SHORT', 2 * DAY, 30 * HOUR),
      block('COVERED', 5 * DAY, 48 * HOUR),
      block('COPY', 5 * DAY, 48 * HOUR, { resolution: 300 }),
      block('YOUNG', HOUR, 48 * HOUR),
      block('MARKED', 2 * DAY, 48 * HOUR, { labelText: '{b="1"}', marks: { ...NOTHING_MARKED, noDownsample: true } }),
    ];
    expect(ids(dueForDownsampling(blocks, UPKEEP))).toEqual(['LONG']);
    expect(dueForDownsampling(blocks, { ...UPKEEP, downsamples: false })).toEqual([]);
  });

  it('overlap with equal labels, unless one holds the other or the Compactor joins them', () => {
    const blocks = [block('A', DAY), block('B', DAY - HOUR), block('C', DAY, 7200, { labelText: '{b="1"}' })];
    expect(ids(overlapping(blocks, UPKEEP))).toEqual(['A', 'B']);
    expect(overlapping(blocks, { ...UPKEEP, joinsOverlaps: true })).toEqual([]);
    const twice = [block('A', DAY), block('B', DAY, 7200, { sources: ['A'] })];
    expect(overlapping(twice, UPKEEP)).toEqual([]);
    const young = [block('A', DAY), block('B', DAY - HOUR, 7200, { createdAge: 600 })];
    expect(overlapping(young, UPKEEP)).toEqual([]);
    const next = [block('A', DAY), block('B', DAY - 2 * HOUR)];
    expect(overlapping(next, UPKEEP)).toEqual([]);
  });

  it('are of the future beyond what clocks may differ', () => {
    const now = Date.parse(TAKEN_AT);
    const modified = { lastModified: TAKEN_AT };
    expect(
      ids(inTheFuture([block('A', -3600, 7200, modified), block('B', -60, 7200, modified), block('C', 60)], now)),
    ).toEqual(['A']);
  });

  it('come near the limit of the index at four fifths, and are kept from compaction by a mark', () => {
    expect(ids(nearIndexLimit([block('A', DAY, 7200, { indexBytes: 900 }), block('B', DAY)], UPKEEP))).toEqual(['A']);
    const marked = block('A', DAY, 7200, { marks: { ...NOTHING_MARKED, noCompact: true } });
    expect(ids(keptFromCompaction([marked, block('B', DAY)]))).toEqual(['A']);
  });

  it('may be more than were found, where one could not be read', () => {
    const unread = gapElement({
      evidence: 'bucket.blocks',
      reason: 'forbidden',
      detail: 'no',
      path: '',
      notLookedAt: false,
    });
    const age = () => 1;
    expect(() => blockSet([], [unread], age).any).toThrow('no');
    expect(blockSet([{ block: block('A', DAY), detail: 'x' }], [unread], age).any).toBe(true);
    expect(blockSet([], [], age).any).toBe(false);
  });
});

describe('bucket.upkeep', () => {
  const damaged = {
    id: 'compact-block-damaged',
    open: true,
    sample: 'err="block with not healthy index found …"',
    captured: { block: '01J0000000000000000000000A' },
  };
  const bucket = {
    place: 'b@s3.example:80',
    bucket: 'b',
    prefix: '',
    listed: true,
    stores: [{ cluster: 'hub', id: 'm/s/k' }],
  };
  const given = (
    blocks: readonly Partial<Block>[] | ReturnType<typeof gap>,
    args: readonly object[] = [],
  ): Readonly<Record<string, Given>> => ({
    hub: {
      evidence: {
        'bucket.blocks': [{ ...bucket, blocks }],
        'thanos.workloads': [
          {
            component: 'compact',
            workload: { key: 'StatefulSet m/compactor' },
            containerKeys: ['Container m/compactor-0/compactor'],
            objstore: { id: 'm/s/k' },
            running: 1,
            retentionRaw: 7 * DAY,
            args,
          },
        ],
        'logs.signatures': { hits: [damaged] },
      },
    },
  });

  it('measures by the settings of the Compactor that reads the bucket', async () => {
    const [row] = await derive(upkeepCollector, given([], [{ flag: '--delete-delay', value: '12h' }]));
    expect(row).toMatchObject({
      compactorKeys: ['StatefulSet m/compactor @hub'],
      retentionRaw: 7 * DAY,
      deleteDelay: 12 * HOUR,
    });
  });

  it('takes a block that a log names for damaged, if it is whole and unmarked by the listing, or was not listed', async () => {
    const whole = { id: '01J0000000000000000000000A', state: 'complete' };
    expect((await derive(upkeepCollector, given([whole])))[0]?.damagedIds).toEqual(['01J0000000000000000000000A']);
    expect((await derive(upkeepCollector, given([{ ...whole, missing: ['index'] }])))[0]?.damagedIds).toEqual([]);
    expect((await derive(upkeepCollector, given([])))[0]?.damagedIds).toEqual([]);
    const [row] = await derive(upkeepCollector, given(gap()));
    expect(row?.damagedIds).toEqual(['01J0000000000000000000000A']);
    expect(() => row?.incomplete).toThrow();
  });
});

describe('bucket.holes', () => {
  const at = (id: string, end: number, replica: string, more: Partial<Block> = {}) =>
    block(id, end, 2 * HOUR, { labels: { cluster: 'east', replica }, labelText: `{replica="${replica}"}`, ...more });
  const holes = async (blocks: readonly Block[], more: object = {}) => {
    const rows = await derive(holesCollector, {
      hub: {
        evidence: {
          'bucket.blocks': [{ place: 'b', prefix: '', blocks }],
          'bucket.upkeep': [{ place: 'b', prefix: '', ...more }],
          'fleet.producers': [{ cluster: 'hub', replicaLabel: 'replica', labelText: '{replica="a"}' }],
        },
      },
    });
    return rows.find(row => row.labelText === '{replica="a"}')?.holes.map(hole => hole.seconds);
  };
  const before = at('01J0000000000000000000000A', DAY, 'a');
  const after = at('01J0000000000000000000000B', DAY - 6 * HOUR, 'a');

  it('are times of a block or more between two blocks', async () => {
    expect(await holes([before, after])).toEqual([4 * HOUR]);
    expect(await holes([before, at('01J0000000000000000000000C', DAY - 3 * HOUR, 'a')])).toEqual([]);
  });

  it('are none where a replica covers them, and stay where another cluster does', async () => {
    const filling = [DAY - 2 * HOUR, DAY - 4 * HOUR].map((end, place) =>
      at(`01J000000000000000000000D${place}`, end, 'b'),
    );
    expect(await holes([before, after, ...filling])).toEqual([]);
    const elsewhere = filling.map(one => ({
      ...one,
      labels: { cluster: 'west', replica: 'a' },
      labelText: '{cluster="west"}',
    }));
    expect(await holes([before, after, ...elsewhere])).toEqual([4 * HOUR]);
  });

  it('do not count while a block may be on its way, and beyond raw retention', async () => {
    expect(
      await holes([at('01J0000000000000000000000A', 9 * HOUR, 'a'), at('01J0000000000000000000000B', 3 * HOUR, 'a')]),
    ).toEqual([]);
    expect(await holes([before, after], { retentionRaw: 12 * HOUR })).toEqual([]);
  });
});
