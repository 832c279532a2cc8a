import { type Gap, GapSignal } from '../../model/gap.ts';
import type { ShapeOf } from '../../model/shape.ts';
import { type Context, derived } from '../collector.ts';
import { collector as configCollector } from '../collectors/prometheus.config.ts';
import { collector as flagsCollector } from '../collectors/prometheus.flags.ts';
import { collector as rulesCollector } from '../collectors/prometheus.rules.ts';
import { collector as prometheusesCollector } from '../collectors/prometheus-operator.prometheuses.ts';
import { gapOf, known } from '../gaps.ts';
import { lazily } from '../lazily.ts';
import { collector as clustersCollector } from './fleet.clusters.ts';
import { collector as componentsCollector } from './thanos.components.ts';

const ROW = {
  /** What is set, in words. */
  setting: 'str',
  /** What more than half of the edges have. */
  usual: 'str',
  /** How many have it, and how many were read. */
  agreeing: 'int',
  read: 'int',
  /** Edges that have something else. */
  odd: [{ cluster: 'str', value: 'str' }],
} as const;

type Row = ShapeOf<typeof ROW>;

/** With fewer there is no majority to speak of. */
const ENOUGH = 3;

export const collector = derived({
  id: 'fleet.edge-settings',
  about: 'What most edges are set to alike, and which edge is not. Names, addresses and credentials are not compared.',
  scope: 'fleet',
  shape: [ROW],
  async collect(context): Promise<readonly Row[]> {
    const clusters = known(await context.get(clustersCollector)).filter(cluster => cluster.role === 'edge');
    const edges = context.clusters.filter(one => clusters.some(cluster => cluster.name === one.cluster));
    if (edges.length < ENOUGH) return [];
    return Promise.all(
      SETTINGS.map(async ({ setting, read }) =>
        rowOf(
          setting,
          await Promise.all(edges.map(async edge => ({ cluster: edge.cluster, value: await settingOf(edge, read) }))),
        ),
      ),
    );
  },
});

type Read = (context: Context) => Promise<readonly string[]>;

/** What the Prometheuses of an edge have, each value once; or why that is not known. */
async function settingOf(context: Context, read: Read): Promise<string | Gap> {
  try {
    return [...new Set(await read(context))].sort().join('; ');
  } catch (error) {
    if (error instanceof GapSignal) return { ...error.gap, notLookedAt: true };
    throw error;
  }
}

interface Told {
  readonly cluster: string;
  readonly value: string | Gap;
}

function rowOf(setting: string, all: readonly Told[]): Row {
  const read = all.flatMap(({ cluster, value }) => (typeof value === 'string' ? [{ cluster, value }] : []));
  const gap = all.map(({ value }) => value).find(value => typeof value !== 'string');
  const counts = new Map<string, number>();
  for (const { value } of read) counts.set(value, (counts.get(value) ?? 0) + 1);
  const [usual, agreeing] = [...counts].sort(([, first], [, second]) => second - first)[0] ?? ['', 0];
  const isMajority = read.length >= ENOUGH && agreeing * 2 > read.length;
  const odd = isMajority ? read.filter(({ value }) => value !== usual) : [];
  return lazily<Row>(
    { setting, usual, agreeing, read: read.length },
    {
      odd: () => {
        // An edge that could not be read may be the odd one.
        if (odd.length === 0 && gap) throw new GapSignal(gap);
        return odd;
      },
    },
  );
}

/** All rows have to be known: of a Prometheus that could not be asked, its settings are not. */
function all<Element>(rows: readonly Element[]): readonly Element[] {
  for (const row of rows) {
    const gap = gapOf(row);
    if (gap) throw new GapSignal(gap);
  }
  return rows;
}

const ofConfig =
  (pick: (row: ShapeOf<typeof configCollector.shape>[number]) => string): Read =>
  async context =>
    all(await context.get(configCollector)).map(pick);

const ofFlags =
  (pick: (row: ShapeOf<typeof flagsCollector.shape>[number]) => string): Read =>
  async context =>
    all(await context.get(flagsCollector)).map(pick);

const ofResource =
  (pick: (row: ShapeOf<typeof prometheusesCollector.shape>[number]) => string): Read =>
  async context =>
    all(await context.get(prometheusesCollector)).map(pick);

const SETTINGS: readonly { readonly setting: string; readonly read: Read }[] = [
  { setting: 'scrape interval', read: ofConfig(row => `${row.scrapeInterval} s`) },
  { setting: 'evaluation interval', read: ofConfig(row => `${row.evaluationInterval} s`) },
  { setting: 'names of external labels', read: ofConfig(row => Object.keys(row.externalLabels).sort().join(', ')) },
  { setting: 'local retention', read: ofFlags(row => `${row.retention} s, ${row.retentionSize} bytes`) },
  { setting: 'block durations', read: ofFlags(row => `${row.minBlock} to ${row.maxBlock} s`) },
  { setting: 'replicas', read: ofResource(row => String(row.replicas)) },
  { setting: 'replica label', read: ofResource(row => row.replicaLabel) },
  {
    setting: 'limits of Prometheus',
    read: ofResource(row => `${row.resources.limits.cpu} m, ${row.resources.limits.memory} bytes`),
  },
  { setting: "the sidecar's flags", read: sidecarFlags },
  { setting: 'rules', read: rulesOf },
];

/** Flags whose values are a cluster's own. */
const OWN = /address|objstore|config|url|name|path|label|tls|secret|token/;

async function sidecarFlags(context: Context): Promise<readonly string[]> {
  return all(await context.get(componentsCollector))
    .filter(component => component.component === 'sidecar')
    .map(({ args }) =>
      args
        .map(({ flag, value }) => (OWN.test(flag) ? flag : `${flag}=${value}`))
        .sort()
        .join(' '),
    );
}

/** Names and expressions of all rules, as a number by which two sets can be told apart. */
async function rulesOf(context: Context): Promise<readonly string[]> {
  const texts = all(await context.get(rulesCollector)).flatMap(row =>
    row.rules.map(rule => `${rule.name}=${rule.expr}`),
  );
  const unique = [...new Set(texts)].sort();
  let hash = 0;
  for (const character of unique.join('\n')) hash = (hash * 31 + character.codePointAt(0)!) % 4_294_967_291;
  return [`${unique.length} rules (${hash.toString(16)})`];
}
