import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'vitest';
import { parse } from 'yaml';
import type { RawObject } from '../../src/model/source.ts';
import * as faults from './object-store.ts';
import { HOST, SECRET, storeFails } from './object-store.ts';
import { component, crashes, scaledToZero } from './pods.ts';
import { diagnosed, expectRoots, type Fault, type Place } from './recorded-world.ts';
import { type Fleet, fleetOf } from './scenario.ts';
import { settled } from './settle.ts';

interface Root {
  readonly rule: string;
  readonly cluster: string;
  readonly subject: { readonly kind: string; readonly namespace?: string; readonly name: string };
}

/** The roots of a recording, by its truth. */
function rootsOf(name: string): readonly Place[] {
  const path = join(import.meta.dirname, '..', 'incidents', name, 'truth.yaml');
  const truth = parse(readFileSync(path, 'utf8')) as { readonly roots: readonly Root[] };
  return truth.roots.map(({ rule, cluster, subject: { kind, namespace = '', name: own } }) => ({
    rule,
    cluster,
    subject: `${kind} ${namespace === '' ? own : `${namespace}/${own}`}`,
  }));
}

/** Recordings of which only the hub differs from a healthy fleet, and of which only the edge does. */
const HUB = [
  'block-corrupt',
  'bucket-missing',
  'dns-down',
  'image-missing',
  'monitor-not-selected',
  'query-too-big',
  'query-unknown-flag',
  'secret-missing',
  'storage-class-missing',
];
const EDGE = ['key-unknown', 'sidecar-speaks-https'];
const RECORDED = HUB.flatMap(hub => EDGE.map(edge => [hub, edge] as const));

describe('two recordings at once', () => {
  test.each(RECORDED)('%s in the hub, %s in the edge', async (hub, edge) => {
    const report = await diagnosed({ 'cluster-01': hub, 'cluster-02': edge });
    expectRoots(report, { roots: [...rootsOf(hub), ...rootsOf(edge)] });
  });
});

/** A fault that touches objects of its own: it can be added to any other. */
interface Addition {
  readonly what: string;
  readonly base?: string;
  breaks(fleet: Fleet): Place;
}

const unlabelled = (world: Fleet['hub'], list: string, name: string) =>
  world.edit(`monitoring.coreos.com/v1/${list}`, name, object => {
    delete object.metadata.labels.release;
  });

const withoutPool = (world: Fleet['hub'], pool: string) => {
  for (const path of world.paths()) {
    if (path.endsWith('api_v1_status_config.json')) {
      world.json(path, document => {
        const jobs = document.data.yaml.split('- job_name: ');
        document.data.yaml = jobs.filter((job: string) => !job.includes(pool)).join('- job_name: ');
        return document;
      });
    }
    if (!path.endsWith('api_v1_targets_state_active.json')) continue;
    world.json(path, document => {
      document.data.activeTargets = document.data.activeTargets.filter(
        (target: RawObject) => !target.scrapePool.includes(pool),
      );
      return document;
    });
  }
};

const ADDITIONS: readonly Addition[] = [
  {
    what: 'a monitor of the hub is not selected',
    breaks({ hub }) {
      const name = 'monitoring/kube-prometheus-stack-coredns';
      unlabelled(hub, 'servicemonitors', name);
      withoutPool(hub, 'stack-coredns/');
      return { rule: 'monitor-not-selected', cluster: hub.cluster, subject: `ServiceMonitor ${name}` };
    },
  },
  {
    what: 'the edge is paused',
    breaks({ edge }) {
      const name = 'monitoring/kube-prometheus-stack-prometheus';
      edge.edit('monitoring.coreos.com/v1/prometheuses', name, object => {
        object.spec.paused = true;
      });
      return { rule: 'prometheus-paused', cluster: edge.cluster, subject: `Prometheus ${name}` };
    },
  },
  {
    what: 'the Compactor is scaled to nothing',
    breaks({ hub }) {
      const compactor = component(hub, 'compact');
      scaledToZero(compactor);
      return { rule: 'compactor-not-running', cluster: hub.cluster, subject: compactor.key };
    },
  },
  {
    what: "the edge's Alertmanager does not know a flag",
    breaks({ edge }) {
      const alertmanager = component(edge, 'alertmanager');
      for (const pod of alertmanager.pods) {
        crashes(edge, pod, alertmanager.container, {
          lines: ["alertmanager: error: unknown long flag '--cluster.old-flag', try --help"],
        });
      }
      return { rule: 'container-exits-on-bad-flag', cluster: edge.cluster, subject: alertmanager.key };
    },
  },
  {
    what: "the hub's operator is scaled to nothing",
    breaks({ hub }) {
      const operator = component(hub, 'operator');
      scaledToZero(operator);
      return { rule: 'operator-down', cluster: hub.cluster, subject: operator.key };
    },
  },
];

/** Recordings whose fault lies elsewhere than those of the additions. */
const BASES = [
  'volume-faulted',
  'prometheus-out-of-memory',
  'pool-exhausted',
  'edge-firewalled',
  'key-unknown',
  'block-corrupt',
  'query-too-big',
  'secret-missing',
  'two-faults',
  'alike-labels-of-two',
];

describe.each(ADDITIONS)('$what, and', ({ breaks }) => {
  test.each(BASES)('%s', async base => {
    let added: Place | undefined;
    const fault: Fault = worlds => {
      added = breaks(fleetOf(worlds));
      settled(worlds);
    };
    const report = await diagnosed(base, fault);
    expectRoots(report, { roots: [...rootsOf(base), added!] });
  });
});

describe('two faults of the store at once', () => {
  const base = { 'cluster-01': 'bucket-missing', 'cluster-02': 'key-unknown' };

  test.each([
    ['secret key wrong', faults.SECRET_WRONG, 'object-store-secret-wrong', SECRET],
    ['credentials left out', faults.CREDENTIALS_ABSENT, 'object-store-credentials-absent', SECRET],
    ['HTTPS to HTTP', faults.HTTP_TO_HTTPS, 'object-store-speaks-http', SECRET],
    ['store not reached', faults.STORE_SILENT, 'object-store-unreachable', `Endpoint ${HOST}:80`],
  ] as const)('key unknown in the edge, %s in the hub', async (_, fault, rule, subject) => {
    const report = await diagnosed(base, storeFails('cluster-01', fault));
    expectRoots(report, {
      roots: [
        { rule, cluster: 'cluster-01', subject },
        { rule: 'object-store-key-unknown', cluster: 'cluster-02', subject: SECRET },
      ],
    });
  });
});
