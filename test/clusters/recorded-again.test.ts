import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { parse } from 'yaml';
import { type BundleFiles, openBundleFiles } from '../../src/clusters/bundle-files.ts';
import type { ClusterPlan } from '../../src/clusters/bundle-plan.ts';
import { recordBundle } from '../../src/clusters/bundle-writer.ts';
import { createFingerprint } from '../../src/clusters/fingerprint.ts';
import { openLiveCluster } from '../../src/clusters/live-source.ts';
import type { RawObject, Source } from '../../src/model/source.ts';
import { startFleet } from '../../src/simulator/fleet.ts';

const RECORDING = new URL('../../src/simulator/fleets/sidecar-speaks-https.tar.gz', import.meta.url).pathname;

/** Asks for what the recording holds. */
async function planOf(files: BundleFiles, { cluster }: Source): Promise<ClusterPlan> {
  const yaml = async (file: string): Promise<readonly RawObject[]> => {
    const content = await files.read(`clusters/${cluster}/${file}`);
    return content ? parse(Buffer.from(content).toString('utf8')) : [];
  };
  const logs = [...files.paths].map(path => new RegExp(`^clusters/${cluster}/logs/([^/]+)/`).exec(path)?.[1]);
  return {
    logNamespaces: [...new Set(logs.filter(namespace => namespace !== undefined))],
    http: (await yaml('http/index.yaml')).map(({ via, namespace = '', name, port = 0, path }) => ({
      via,
      namespace,
      name,
      port,
      path,
    })),
    stores: (await yaml('stores.yaml')).map(({ id, secret, usedBy, namedBy }) => ({
      reference: { id, kind: 'Secret' as const, ...secret },
      usedBy,
      namedBy,
    })),
    probes: (await yaml('probes.yaml')).map(probe => ({ endpoint: probe.endpoint, for: probe.for })),
  };
}

/** Without the order of keys, fingerprints of another key, and what nobody can tell again. */
function comparable(file: string, content: Uint8Array): unknown {
  const text = Buffer.from(content)
    .toString('utf8')
    .replace(/hmac:[0-9a-f]+/g, 'hmac:F');
  if (!/\.(?:json|yaml)$/.test(file)) return text;
  return sorted(file.endsWith('.json') ? JSON.parse(text) : parse(text));
}

const UNCERTAIN = new Set([
  'managedFields',
  'message',
  'keys',
  'changedAt',
  'resourceVersion',
  'cut',
  'clockDifference',
]);

function sorted(value: RawObject): RawObject {
  // 501: the simulated fleet says nothing about what the recording does not hold.
  if (Array.isArray(value)) return value.filter(entry => entry?.status !== 501).map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).filter(([key, entry]) => entry !== null && !UNCERTAIN.has(key));
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, entry]) => [key, sorted(entry)]));
}

it('a recording that is served by a simulated fleet and recorded again is the same', async () => {
  const original = await openBundleFiles(RECORDING);
  const fleet = await startFleet(original);
  onTestFinished(() => fleet.close());
  const folder = await mkdtemp(join(tmpdir(), 'again-'));
  const kubeconfig = join(folder, 'kubeconfig');
  await writeFile(kubeconfig, fleet.kubeconfig);
  const fingerprint = createFingerprint();
  const sources = await Promise.all(
    fleet.clusters.map(({ name }) =>
      openLiveCluster({
        name,
        context: name,
        kubeconfig,
        fingerprint,
        redirect: fleet.redirect,
        environment: {},
        timeouts: { probe: 500 },
      }),
    ),
  );
  onTestFinished(async () => void (await Promise.all(sources.map(source => source.close()))));
  await recordBundle(sources, join(folder, 'again'), {
    createdBy: 'test',
    logs: { lines: 5000, bytes: 8_388_608 },
    plan: source => planOf(original, source),
  });
  const again = await openBundleFiles(join(folder, 'again'));
  const differing = [];
  const compared =
    /\/(?:objects|logs|buckets)\/|\/(?:discovery\.json|stores\.yaml|probes\.yaml|failures\.yaml|http\/index\.yaml)$/;
  for (const path of [...original.paths].filter(file => compared.test(file))) {
    const content = await again.read(path);
    const before = comparable(path, (await original.read(path))!);
    const after = content && comparable(path, content);
    if (JSON.stringify(before) !== JSON.stringify(after)) differing.push(path);
  }
  expect(differing).toEqual([]);
  expect([...again.paths].filter(path => !original.paths.has(path))).toEqual(['contents.txt']);
  expect(fleet.writes()).toEqual([]);
  for (const source of sources) expect(source.usage().requests).toBeLessThan(260);
});
