import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pLimit from 'p-limit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { AS_USUAL, openLive } from '../../src/app/open-live.ts';
import { COLLECTORS } from '../../src/evidence/catalogue.ts';
import type { Evidence } from '../../src/model/evidence.ts';
import type { Source } from '../../src/model/source.ts';
import type { Fault } from '../../src/simulator/faults.ts';
import { type Fleet, startFleet } from '../../src/simulator/fleet.ts';
import { type Disturbance, disturbances } from './disturbances.ts';
import {
  type Asked,
  collectAlone,
  gapsInside,
  mistakesIn,
  plain,
  type Undisturbed,
  undisturbed,
} from './recorded-reads.ts';
import { HUB, richFleet } from './rich-fleet.ts';

const DISTURBANCES = disturbances('2026-11-23T17:43:00Z');
const FETCHED = [...COLLECTORS.values()].filter(({ derived }) => !derived).map(({ id }) => id);

/** What reads nothing: it is told by the source or by the user. */
const WITHOUT_READS = ['access.failures', 'fleet.expectations'];

/** Where a failed request is an answer about the thing that was asked. */
const ANSWERS: readonly {
  readonly id: string;
  readonly when: RegExp;
  readonly holds: (value: never) => boolean;
}[] = [
  {
    id: 'thanos.readiness',
    when: /of the component$/,
    holds: (rows: readonly { answers: boolean; ready: boolean; healthy: boolean }[]) =>
      rows.every(row => row.answers && !row.ready && !row.healthy),
  },
  {
    id: 'minio.health',
    when: /of the component$/,
    holds: (rows: readonly { live: boolean; clusterOk: boolean }[]) => rows.every(row => !row.live && !row.clusterOk),
  },
  {
    id: 'bucket.answer',
    when: /^[45]|web page|half/,
    holds: (rows: readonly { code: string; reached: boolean }[]) => rows.every(row => row.reached && row.code !== ''),
  },
  {
    id: 'thanos.object-stores',
    when: /^404/,
    holds: (rows: readonly { exists: boolean; usable: boolean }[]) => rows.every(row => !row.exists && !row.usable),
  },
];

const folder = mkdtempSync(join(tmpdir(), 'fault-matrix-'));
const faults: Fault[] = [];
let fleet: Fleet;
let before: Undisturbed;
let chosen: ReadonlyMap<string, Asked>;

beforeAll(async () => {
  fleet = await startFleet(await richFleet(), { faults });
  writeFileSync(join(folder, 'kubeconfig'), fleet.kubeconfig);
  const sources = await open(20_000);
  before = await undisturbed(sources);
  await Promise.all(sources.map(source => source.close()));
  const reading = [...before.asked.values()].filter(one => one.reads.size > 0 && [HUB, 'fleet'].includes(one.cluster));
  chosen = new Map(reading.reverse().map(one => [one.id, one]));
}, 30_000);
afterAll(async () => {
  await fleet.close();
  rmSync(folder, { recursive: true });
});

function open(timeout: number): Promise<readonly Source[]> {
  const timeouts = {
    preflight: timeout,
    request: timeout,
    log: timeout,
    component: timeout,
    store: timeout,
    probe: timeout,
  };
  return openLive({
    kubeconfig: join(folder, 'kubeconfig'),
    contexts: fleet.clusters.map(cluster => cluster.name),
    ...AS_USUAL,
    signal: new AbortController().signal,
    deadline: Date.now() + 120_000,
    overrides: {
      redirect: fleet.redirect,
      storeCertificateAuthority: fleet.authorities.join(''),
      retry: { retries: 1, delay: 1, longest: 50 },
      timeouts,
    },
  });
}

/** Reads each collector's own answers anew while everything that is asked goes wrong; what it builds upon is as it was. */
async function disturbed({ faults: wrong, takesTime, ofLists }: Disturbance): Promise<ReadonlyMap<string, Evidence>> {
  const timeout = takesTime ? 150 : 20_000;
  const prepared = await open(timeout);
  const fresh = await open(timeout);
  const references = before.of(HUB, 'thanos.object-stores', {});
  for (const source of prepared) {
    await source.server();
    await source.discovery();
    // Buckets are read with the configuration that was read before.
    for (const { id, kind, secret, key } of references.known ? (references.value as readonly StoreRow[]) : []) {
      await source.objectStore({ id, kind, namespace: secret.namespace, name: secret.name, key });
    }
  }
  faults.push(...wrong);
  // How often a list was begun is counted by its path, which several may read.
  const limit = pLimit(takesTime ? 100 : ofLists ? 1 : 8);
  try {
    return new Map(
      await Promise.all(
        [...chosen.values()].map(one =>
          limit(async () => {
            const isFirst = one.reads.has('server') || one.reads.has('discovery');
            return [one.id, await collectAlone(isFirst ? fresh : prepared, before, one)] as const;
          }),
        ),
      ),
    );
  } finally {
    faults.length = 0;
    await Promise.all([...prepared, ...fresh].map(source => source.close()));
  }
}

interface StoreRow {
  readonly id: string;
  readonly kind: 'Secret';
  readonly key: string;
  readonly secret: { readonly namespace: string; readonly name: string };
}

test('the fleet has something to be read for every collector', () => {
  expect(FETCHED.filter(id => !chosen.has(id))).toEqual(WITHOUT_READS);
  const empty = [...chosen.values()].filter(
    ({ evidence }) => !evidence.known || plain(evidence.value)?.toString() === '',
  );
  expect(
    empty.map(({ id }) => id),
    'add an object of the kind to rich-fleet.ts',
  ).toEqual([]);
});

describe.each(DISTURBANCES)('$name', disturbance => {
  let found: ReadonlyMap<string, Evidence>;
  let took = 0;
  beforeAll(async () => {
    const started = performance.now();
    found = await disturbed(disturbance);
    took = performance.now() - started;
  }, 120_000);

  test.each(FETCHED.filter(id => !WITHOUT_READS.includes(id)))('%s', id => {
    const evidence = found.get(id)!;
    const original = chosen.get(id)!.evidence as Extract<Evidence, { known: true }>;
    const gaps = evidence.known ? gapsInside(evidence.value) : [evidence.gap];
    const usual = new Set(gapsInside(original.value).map(gap => gap.detail));
    const fresh = gaps.filter(gap => !usual.has(gap.detail));
    const reasons = [...new Set(fresh.map(({ reason }) => reason))];
    if (evidence.known) expect(mistakesIn(COLLECTORS.get(id)!.shape, evidence.value)).toEqual([]);
    expect(
      fresh.filter(({ detail }) => detail === '').map(({ path }) => path),
      'gaps without words',
    ).toEqual([]);

    if (disturbance.ofLists) {
      const isList = [...chosen.get(id)!.reads].some(read => read.startsWith('list '));
      if (isList && disturbance.ofLists === 'never whole') expect(reasons).toEqual(['server-error']);
      else expect(untimed(evidence)).toEqual(untimed(original));
      return;
    }
    const answer = ANSWERS.find(one => one.id === id && one.when.test(disturbance.name));
    if (answer) {
      expect(evidence.known && answer.holds(evidence.value as never)).toBe(true);
      return;
    }
    // The simulated stores tell neither their settings nor their numbers, and half of a refusal is a refusal.
    if (['bucket.settings', 'minio.metrics'].includes(id) && /^cut off$|^half/.test(disturbance.name)) {
      expect(gaps.length).toBeGreaterThan(0);
      return;
    }
    // By a clock that is ahead, no lease was renewed lately: how long ago is then not known of any.
    if (id === 'kubernetes.leases' && disturbance.name === 'a clock 10 minutes ahead') {
      expect(reasons, JSON.stringify(fresh)).toEqual(['malformed']);
      return;
    }
    if (disturbance.harmless || cannotTell(disturbance, id)) {
      expect(disturbance.gaps, JSON.stringify(fresh)).toEqual(expect.arrayContaining(reasons));
      return;
    }
    if (isAbsence(disturbance, id)) {
      expect(evidence.known && plain(evidence.value)).toEqual([]);
      return;
    }
    expect(
      reasons.length,
      `nothing is amiss: ${JSON.stringify(evidence.known && plain(evidence.value)).slice(0, 300)}`,
    ).toBeGreaterThan(0);
    // What is no answer of S3 is a refusal of whatever answers in its place.
    const allowed =
      id.startsWith('bucket.') && /half|web page/.test(disturbance.name) ? ['server-error'] : disturbance.gaps;
    expect(allowed, JSON.stringify(fresh)).toEqual(expect.arrayContaining(reasons));
  });

  test.runIf(disturbance.takesTime)('waits no longer than it has to', () => {
    expect(took).toBeLessThan(10_000);
  });
});

/** What is known, without durations and fingerprints, which are others each time. */
function untimed(evidence: Evidence): unknown {
  if (!evidence.known) return evidence.gap.detail;
  return JSON.parse(JSON.stringify(plain(evidence.value)), (name, field) => {
    if (typeof field === 'string') return field.replace(/hmac:[0-9a-f]+/, 'hmac');
    return /difference|within|age$|seconds/i.test(name) ? 0 : field;
  });
}

/** A custom kind that is not found is not installed any more. */
function isAbsence({ name }: Disturbance, id: string): boolean {
  return (
    name.startsWith('404') &&
    (COLLECTORS.get(id)?.needs ?? []).some(({ group }) => group.includes('.') && !group.endsWith('.k8s.io'))
  );
}

/** A probe is of the connection, MinIO answers without a body, and a log that ends early looks like a whole one. */
function cannotTell({ name }: Disturbance, id: string): boolean {
  if (id === 'network.probe') return true;
  if (id === 'minio.health') return /^cut off$|^half/.test(name);
  return (
    name === 'half a document' &&
    ['logs.signatures', 'grafana.requests', 'thanos.endpoint-reach', 'thanos.readiness'].includes(id)
  );
}
