/** Bugs that other tools of this kind had, each once, where a recorded fleet is judged. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { collectFleet } from '../../src/app/collect.ts';
import { openBundle } from '../../src/app/open-bundle.ts';
import { AS_USUAL, openLive } from '../../src/app/open-live.ts';
import { exitCodeOf } from '../../src/cli/exit-codes.ts';
import type { BundleFiles } from '../../src/clusters/bundle-files.ts';
import { openBundleCluster, readManifest } from '../../src/clusters/bundle-source.ts';
import type { Finding } from '../../src/model/finding.ts';
import type { Report } from '../../src/model/report.ts';
import type { RawObject, Source } from '../../src/model/source.ts';
import { markdown } from '../../src/report/markdown.ts';
import { text } from '../../src/report/text.ts';
import type { Fault, FaultKind } from '../../src/simulator/faults.ts';
import { type Fleet, startFleet } from '../../src/simulator/fleet.ts';
import { diagnose, recording } from '../fault-matrix/recorded-reads.ts';
import { richFleet } from '../fault-matrix/rich-fleet.ts';
import { withoutGroup } from '../faults/fleets.ts';
import { component } from '../faults/pods.ts';
import { diagnosed, type World } from '../faults/recorded-world.ts';
import { expectFound, fleetOf } from '../faults/scenario.ts';
import { notAttached } from '../faults/volumes.ts';

const serious = (report: Report) => report.findings.filter(({ severity }) => severity !== 'info');
const rootsOf = (report: Report) =>
  serious(report)
    .filter(({ root }) => root)
    .map(({ id }) => id)
    .sort();
const idsOf = (findings: readonly Finding[]) => findings.map(({ id }) => id).sort();

interface Live {
  readonly fleet: Fleet;
  readonly sources: readonly Source[];
}

async function live(files: BundleFiles, faults: readonly Fault[] = [], request = 20_000): Promise<Live> {
  const fleet = await startFleet(files, { faults });
  const folder = mkdtempSync(join(tmpdir(), 'peers-'));
  const kubeconfig = join(folder, 'kubeconfig');
  writeFileSync(kubeconfig, fleet.kubeconfig);
  const sources = await openLive({
    kubeconfig,
    contexts: fleet.clusters.map(cluster => cluster.name),
    ...AS_USUAL,
    signal: new AbortController().signal,
    deadline: Date.now() + 120_000,
    overrides: {
      redirect: fleet.redirect,
      storeCertificateAuthority: fleet.authorities.join(''),
      retry: { retries: 0 },
      timeouts: { preflight: 20_000, request, component: 20_000, store: 20_000, log: 20_000 },
    },
  });
  onTestFinished(async () => {
    await Promise.all(sources.map(source => source.close()));
    await fleet.close();
    rmSync(folder, { recursive: true });
  });
  return { fleet, sources };
}

async function bundled(files: BundleFiles): Promise<readonly Source[]> {
  const { clusters } = await readManifest(files);
  return Promise.all(clusters.map(cluster => openBundleCluster(files, cluster)));
}

describe('T2 a list that fails is said, by its name, and takes nothing else along', () => {
  const LISTS = ['/api/v1/nodes', '/api/v1/persistentvolumeclaims', '/apis/longhorn.io/v1beta2/volumes'];
  const EFFECTS: readonly (readonly [string, FaultKind])[] = [
    ['403', { is: 'error', status: 403 }],
    ['500', { is: 'error', status: 500 }],
    ['a timeout', { is: 'silence' }],
  ];
  test.each(EFFECTS)(
    '%s',
    async (_name, effect) => {
      const { sources } = await live(
        await recording('healthy-fleet'),
        LISTS.map(path => ({ server: 'cluster-01', path: `${path}?`, effect })),
        effect.is === 'silence' ? 3000 : 20_000,
      );
      const report = await diagnose(sources);
      const unread = report.unknowns.filter(({ cluster }) => cluster === 'cluster-01');
      for (const path of LISTS)
        expect(
          unread.some(({ gaps }) => gaps.some(gap => gap.path === path)),
          path,
        ).toBe(true);
      expect(exitCodeOf(report, 'warning')).toBe(3);
      expect(idsOf(serious(report).filter(({ rule }) => !/^reader-|permission/.test(rule)))).toEqual([]);
      expect(
        report.unknowns.filter(
          ({ cluster, gaps }) => cluster === 'cluster-02' && gaps.some(gap => LISTS.includes(gap.path)),
        ),
      ).toEqual([]);
    },
    60_000,
  );
});

test('T6 without a single event, the same root cause', async () => {
  for (const name of ['storage-class-missing', 'volume-faulted', 'image-missing']) {
    const whole = await diagnosed(name);
    const silent = await diagnosed(name, worlds => {
      for (const world of worlds) world.list('core/v1/events', () => []);
    });
    expect(
      rootsOf(silent).map(id => id.split('/')[0]),
      name,
    ).toEqual(rootsOf(whole).map(id => id.split('/')[0]));
  }
}, 60_000);

test('T7 what is said of an object in one namespace is not said of its namesake in another', async () => {
  const whole = await diagnosed('storage-class-missing');
  const twice = await diagnosed('storage-class-missing', worlds => {
    for (const world of worlds) {
      const elsewhere = (object: RawObject): RawObject => ({
        ...object,
        metadata: { ...object.metadata, namespace: 'default', uid: `other-${object.metadata.uid}` },
      });
      // The namesakes are well, and whatever happened to the claims of the stack did not happen to them.
      world.list('core/v1/persistentvolumeclaims', items => [
        ...items,
        ...items
          .filter(item => item.metadata.namespace === 'monitoring')
          .map(item => ({
            ...elsewhere(item),
            spec: { ...item.spec, storageClassName: 'longhorn' },
            status: { phase: 'Bound' },
          })),
      ]);
    }
  });
  expect(idsOf(serious(twice))).toEqual(idsOf(serious(whole)));
  expect(serious(twice).filter(({ subject }) => subject.namespace === 'default')).toEqual([]);
}, 60_000);

test('T8 as many requests as there are kinds, whatever the number of rules', async () => {
  const { fleet, sources } = await live(await recording('healthy-fleet'));
  await diagnose(sources);
  for (const { name } of fleet.clusters) {
    const asked = fleet.requests().filter(({ server, method }) => server === name && method === 'GET');
    const lists = asked.filter(({ path }) => /[?&]limit=/.test(path)).map(({ path }) => path);
    expect(lists.length, 'each kind once').toBe(new Set(lists).size);
    expect(asked.length - lists.length).toBeLessThan(100);
  }
}, 60_000);

describe('T9 Longhorn', () => {
  const asOld = (world: World) => {
    world.replace(/^discovery\.json$/, /("group":"longhorn\.io","version":")v1beta2/g, '$1v1beta1');
    for (const path of world.paths().filter(one => one.startsWith('objects/longhorn.io/v1beta2/'))) {
      world.write(path.replace('v1beta2', 'v1beta1'), world.text(path));
      world.remove(path);
    }
  };
  test('served in its old version only: the same is found', async () => {
    const whole = await diagnosed('volume-faulted');
    const old = await diagnosed('volume-faulted', worlds => worlds.forEach(asOld));
    expect(rootsOf(old)).toEqual(rootsOf(whole));
    expect(rootsOf(old).some(id => id.startsWith('volume-faulted/'))).toBe(true);
  }, 60_000);
  test('not installed: known to be absent, and nothing is open', async () => {
    const report = await diagnosed('healthy-fleet', worlds => {
      for (const world of worlds) withoutGroup(world, 'longhorn.io');
    });
    expect(report.unknowns.filter(({ gaps }) => gaps.some(({ evidence }) => evidence === 'longhorn.volumes'))).toEqual(
      [],
    );
  }, 60_000);
});

test('T11 two clusters with objects of the same names: each has its own findings, in any order, twenty times at once', async () => {
  const files = await recording('sidecar-speaks-https');
  const { clusters } = await readManifest(files);
  const one = async (names: readonly string[]) =>
    diagnose(await Promise.all(names.map(name => openBundleCluster(files, name))));
  const expected = await one(clusters);
  expect(new Set(serious(expected).map(({ cluster }) => cluster)).size).toBeGreaterThan(0);
  const reports = await Promise.all(
    Array.from({ length: 20 }, (_, index) => one(index % 2 === 0 ? clusters : clusters.toReversed())),
  );
  for (const report of reports) {
    expect(JSON.stringify(report.findings)).toBe(JSON.stringify(expected.findings));
  }
}, 120_000);

test('T13 five objects that are broken are five findings, or one that names all five', async () => {
  const report = await diagnosed('healthy-fleet', worlds => {
    const { hub } = fleetOf(worlds);
    hub.list('core/v1/persistentvolumeclaims', items => [
      ...items,
      ...[1, 2, 3, 4, 5].map(number => ({
        metadata: {
          name: `lost-${number}`,
          namespace: 'monitoring',
          uid: `lost-${number}`,
          creationTimestamp: new Date(hub.now - 7_200_000).toISOString(),
        },
        spec: {
          storageClassName: 'longhorn',
          volumeName: `gone-${number}`,
          resources: { requests: { storage: '1Gi' } },
        },
        status: { phase: 'Lost' },
      })),
    ]);
  });
  const said = JSON.stringify(serious(report));
  for (const number of [1, 2, 3, 4, 5]) expect(said).toContain(`lost-${number}`);
}, 60_000);

test('T14 a volume that cannot be attached is not said to be an unbound claim', async () => {
  const report = await diagnosed('healthy-fleet', worlds => {
    const { hub } = fleetOf(worlds);
    const store = component(hub, 'store');
    notAttached(hub, store.pods[0]!, {
      error: 'rpc error: code = Internal desc = volume $VOLUME is not ready for workloads',
      event: 'AttachVolume.Attach failed for volume "$VOLUME" : rpc error: code = Internal desc = not ready',
    });
  });
  expect(serious(report).map(({ rule }) => rule)).toContain('volume-attach-fails');
  expect(
    serious(report)
      .filter(({ message }) => /unbound|not bound|Pending claim/i.test(message))
      .map(({ id }) => id),
  ).toEqual([]);
  expect(
    serious(report)
      .filter(({ rule }) => /^claim-/.test(rule))
      .map(({ id }) => id),
  ).toEqual([]);
}, 60_000);

describe('T15 stock installations have no findings', () => {
  test.each(['healthy-fleet', 'healthy-with-history'])(
    '%s',
    async name => {
      const report = await diagnosed(name);
      expect(idsOf(serious(report))).toEqual([]);
      expect(report.verdict).toBe('healthy');
    },
    60_000,
  );
  test('with a part of the operator’s kinds', async () => {
    const report = await diagnosed('healthy-fleet', worlds => {
      for (const world of worlds) {
        world.json('discovery.json', document => {
          document.groups = document.groups.filter(
            ({ version, group }: RawObject) => group !== 'monitoring.coreos.com' || version === 'v1',
          );
        });
      }
    });
    expect(idsOf(serious(report))).toEqual([]);
  }, 60_000);
});

test('T16 without node-exporter and kube-state-metrics nothing is wrong', async () => {
  const isExporter = ({ metadata }: RawObject) => /node-exporter|kube-state-metrics/.test(metadata.name);
  const report = await diagnosed('healthy-fleet', worlds => {
    for (const world of worlds) {
      for (const path of world.paths()) {
        const resource = /^objects\/(.*)\.json$/.exec(path)?.[1];
        if (resource && !/customresource|roles?$|events$/.test(resource)) {
          world.list(resource, items => items.filter(item => !isExporter(item)));
        }
      }
    }
  });
  expect(idsOf(serious(report))).toEqual([]);
}, 60_000);

test('T17 a store alone, nothing loaded, and S3 refuses: the credentials are the root', async () => {
  const report = await diagnosed('key-unknown', worlds => {
    for (const world of worlds) {
      for (const path of world.paths().filter(one => /api_v1_blocks_view/.test(one))) {
        world.json(path, document => {
          document.data.blocks = [];
        });
      }
    }
  });
  expect(rootsOf(report).map(id => id.split('/')[0])).toContain('object-store-key-unknown');
  expect(report.verdict).toBe('problems');
}, 60_000);

test('T18 blocks that overlap are no success, and are named', async () => {
  const report = await diagnosed('compactor-halted');
  const overlap = serious(report).find(({ rule }) => rule === 'blocks-overlap')!;
  expect(exitCodeOf(report, 'warning')).toBe(1);
  expect(JSON.stringify([overlap.message, overlap.facts])).toMatch(/\b01[0-9A-HJKMNP-TV-Z]{24}\b/);
}, 60_000);

test('T19 a Compactor whose metrics are gone is diagnosed all the same', async () => {
  const report = await diagnosed('compactor-halted', worlds => {
    for (const world of worlds) {
      if (!world.paths().includes('http/index.yaml')) continue;
      const compactor = (name: string) => /compact/.test(name);
      world.yaml(
        'http/index.yaml',
        entries =>
          (entries as never as RawObject[]).filter(
            ({ name, path }) => !(compactor(name) && path === '/metrics'),
          ) as never,
      );
    }
  });
  expect(serious(report).map(({ rule }) => rule)).toContain('compactor-halted');
}, 60_000);

test('T23 a credential that is planted anywhere is in no report and in no bundle', async () => {
  const CANARY = 'kXq7Zr2mVt9LbNc4Hs8PdW3y';
  const files = new Map<string, Uint8Array>();
  const rich = await richFleet();
  for (const path of rich.paths) files.set(path, (await rich.read(path))!);
  const { memoryFiles } = await import('../../src/clusters/bundle-files.ts');
  const pods = 'clusters/cluster-01/objects/core/v1/pods.json';
  const document = JSON.parse(Buffer.from(files.get(pods)!).toString('utf8'));
  for (const pod of document.items) {
    pod.metadata.annotations = {
      ...pod.metadata.annotations,
      'kubectl.kubernetes.io/last-applied-configuration': JSON.stringify({ data: { password: CANARY } }),
    };
    const [container] = pod.spec.containers;
    container.env = [...(container.env ?? []), { name: 'AWS_SECRET_ACCESS_KEY', value: CANARY }];
    container.args = [...(container.args ?? []), `--remote=https://user:${CANARY}@example.com/write`];
  }
  files.set(pods, Buffer.from(JSON.stringify(document)));
  for (const path of [...files.keys()].filter(one => /cluster-01\/logs\/.*\.log$/.test(one))) {
    const line = `2026-11-23T17:43:00.000000000Z ts=2026-11-23T17:43:00Z level=error err="Get \\"https://user:${CANARY}@s3.example.com/\\": secret_key: ${CANARY}"\n`;
    files.set(path, Buffer.concat([Buffer.from(files.get(path)!), Buffer.from(line)]));
  }
  const { sources } = await live(memoryFiles('canary', files));
  const report = await diagnose(sources);
  const options = { width: 100, color: false, unicode: true, all: true, timeZone: 'UTC', terminal: false };
  for (const shown of [JSON.stringify(report), markdown(report, options), text(report, options)])
    expect(shown).not.toContain(CANARY);
  const { sources: again } = await live(memoryFiles('canary', files));
  const folder = mkdtempSync(join(tmpdir(), 'peers-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const target = join(folder, 'bundle');
  await collectFleet(again, { target, since: '', readLogs: true, readSecrets: true, onProgress() {} });
  const { openBundleFiles } = await import('../../src/clusters/bundle-files.ts');
  const written = await openBundleFiles(target);
  for (const path of written.paths) {
    expect(Buffer.from((await written.read(path))!).includes(CANARY), path).toBe(false);
  }
}, 120_000);

test('T27 the port that matches may be any of several', async () => {
  const other = (name: string, port: number) => ({ name, port, targetPort: port, protocol: 'TCP' });
  await expectFound(({ worlds }) => {
    for (const world of worlds) {
      world.list('core/v1/services', items =>
        items.map(item => {
          if (item.metadata.namespace !== 'monitoring' || (item.spec.ports ?? []).length === 0) return item;
          return { ...item, spec: { ...item.spec, ports: [...item.spec.ports, other('last-of-all', 65_001)] } };
        }),
      );
      world.list('discovery.k8s.io/v1/endpointslices', items =>
        items.map(item =>
          item.metadata.namespace === 'monitoring' && (item.ports ?? []).length > 0
            ? { ...item, ports: [...item.ports, { name: 'last-of-all', port: 65_001, protocol: 'TCP' }] }
            : item,
        ),
      );
    }
    return { roots: [] };
  });
}, 60_000);

test('T28 live and from its bundle, the same findings', async () => {
  const name = 'sidecar-speaks-https';
  const found = (report: Report) => JSON.stringify(report.findings.map(({ evidence: _, ...finding }) => finding));
  const { sources } = await live(await recording(name));
  const folder = mkdtempSync(join(tmpdir(), 'peers-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const target = join(folder, 'bundle.tar.gz');
  await collectFleet(sources, { target, since: '', readLogs: true, readSecrets: true, onProgress() {} });
  const { sources: again } = await live(await recording(name));
  expect(found(await diagnose(again))).toBe(found(await diagnose(await openBundle(target))));
  expect((await bundled(await recording(name))).length).toBe(2);
}, 120_000);
