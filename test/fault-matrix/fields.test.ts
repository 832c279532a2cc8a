import { beforeAll, describe, expect, test } from 'vitest';
import { openBundleCluster, readManifest } from '../../src/clusters/bundle-source.ts';
import { COLLECTORS } from '../../src/evidence/catalogue.ts';
import type { Evidence } from '../../src/model/evidence.ts';
import type { RawObject, Source } from '../../src/model/source.ts';
import { altered, changed, type FieldPath, GONE, tracked } from './fields.ts';
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

const FETCHED = [...COLLECTORS.values()].filter(({ derived }) => !derived).map(({ id }) => id);

/** Read by the source itself, which turns them into typed answers. */
const TYPED = ['server', 'discovery', 'access', 'probe', 'objectStore'];

const WRONG: readonly (readonly [kind: string, value: unknown])[] = [
  ['text', 'wrong'],
  ['number', 7],
  ['object', { wrong: 1 }],
  ['list', [1]],
  ['boolean', true],
  ['null', null],
  ['gone', GONE],
];

function kindOf(value: unknown): string {
  if (value === undefined) return 'gone';
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'list';
  return typeof value === 'string' ? 'text' : typeof value;
}

/**
 * What may be read in spite of it: maps and quantities hold numbers as text, a port and a share may be either; what is
 * null or gone counts as absent, and so does a part of a component's answer that is no object; and an error may be said
 * in any form.
 */
function isDocumented(read: string, path: FieldPath, before: string, wrong: string): boolean {
  if (wrong === 'null' || wrong === 'gone' || before === 'gone') return true;
  if (before === 'object' && (!read.startsWith('list ') || IN_PARTS.test(read))) return true;
  if (before === 'null' && /^(err|lastError)$/.test(path.at(-1)!)) return true;
  if (before === 'text' && (wrong === 'number' || wrong === 'boolean')) return true;
  if (before === 'number' && wrong === 'text') return /^(port|targetPort|number|minAvailable)$/.test(path.at(-1)!);
  return before === 'boolean' && path.includes('nodeDeploymentMap');
}

let sources: readonly Source[];
let before: Undisturbed;
let chosen: ReadonlyMap<string, Asked>;

beforeAll(async () => {
  const files = await richFleet();
  const { clusters } = await readManifest(files);
  sources = await Promise.all(clusters.map(cluster => openBundleCluster(files, cluster)));
  before = await undisturbed(sources);
  const reading = [...before.asked.values()].filter(one => one.reads.size > 0 && [HUB, 'fleet'].includes(one.cluster));
  chosen = new Map(reading.reverse().map(one => [one.id, one]));
}, 30_000);

/** Lists that are read for one thing alone, and not as objects. */
const IN_PARTS = /^list (?:metrics|networking)\.k8s\.io\/(?:nodes|pods|ingress(?:class)?es)$/;

interface Field {
  readonly read: string;
  readonly path: FieldPath;
}

/** The fields of raw answers that a collector looks at. */
async function fieldsRead(one: Asked): Promise<readonly Field[]> {
  const fields = new Map<string, Field>();
  const texts = new Map<string, string>();
  const noteIn = (read: string) => (path: FieldPath) => void fields.set(`${read} ${path.join('.')}`, { read, path });
  const watching = sources.map(source =>
    altered(source, (read, raw) => {
      if (!/^(http|bucketObject) /.test(read)) return tracked(raw, noteIn(read));
      texts.set(JSON.stringify(raw), read);
      return raw;
    }),
  );
  // A body is text until the collector has parsed it.
  const { parse } = JSON;
  JSON.parse = (text, reviver) => {
    const read = texts.get(text);
    const value = parse(text, reviver);
    return read === undefined ? value : tracked(value, noteIn(read));
  };
  try {
    await collectAlone(watching, before, one);
  } finally {
    JSON.parse = parse;
  }
  const isProbing = ({ path }: Field) => path.at(-1) === 'then' || path.at(-1) === 'toJSON';
  const isWhole = ({ read, path }: Field) => read.startsWith('list ') && path.length === 1;
  return [...fields.values()].filter(
    field => !isProbing(field) && !isWhole(field) && !TYPED.includes(field.read.split(' ')[0]!),
  );
}

/** The evidence where one field is something else, and what the field was. */
async function withWrong(one: Asked, { read, path }: Field, wrong: unknown) {
  let was: unknown;
  let isDone = false;
  const alter = (place: string, raw: RawObject) => {
    if (place !== read || isDone) return raw;
    return changed(raw, path, value => {
      was = value;
      isDone = true;
      return wrong;
    });
  };
  const evidence = await collectAlone(
    sources.map(source => altered(source, alter)),
    before,
    one,
  );
  return { evidence, was: kindOf(was) };
}

describe('a field of the wrong type', () => {
  test.each(FETCHED)(
    '%s',
    async id => {
      const one = chosen.get(id);
      if (!one?.evidence.known) return;
      const usual = new Set(gapsInside(one.evidence.value).map(gap => gap.detail));
      const rows = JSON.stringify(plain(one.evidence.value));
      const mistakes: string[] = [];
      for (const field of await fieldsRead(one)) {
        for (const [kind, wrong] of WRONG) {
          const { evidence, was } = await withWrong(one, field, wrong);
          if (was === kind) continue;
          const place = `${field.read} ${field.path.join('.')}: ${was} -> ${kind}`;
          const fresh = gapsOf(evidence).filter(gap => !usual.has(gap.detail));
          for (const { reason, detail } of fresh) {
            if (!['malformed', 'server-error', 'not-in-bundle'].includes(reason))
              mistakes.push(`${place} is ${reason}: ${detail}`);
          }
          if (!evidence.known) continue;
          const misshapen = mistakesIn(COLLECTORS.get(id)!.shape, evidence.value);
          if (misshapen.length > 0) mistakes.push(`${place} goes through: ${misshapen[0]}`);
          const isTold = fresh.length > 0 || isDocumented(field.read, field.path, was, kind);
          if (!isTold && JSON.stringify(plain(evidence.value)) !== rows) mistakes.push(`${place} is not noticed`);
        }
      }
      expect(mistakes).toEqual([]);
    },
    120_000,
  );
});

/** What the API server takes no object without, fills in itself, or is always written with the rest. */
const ALWAYS: readonly (readonly [id: string, read: string, path: string])[] = [
  ['kubernetes.pods', 'pods', 'metadata.name'],
  ['kubernetes.pods', 'pods', 'metadata.creationTimestamp'],
  ['kubernetes.pods', 'pods', 'metadata.ownerReferences.[].controller'],
  ['kubernetes.pods', 'pods', 'metadata.ownerReferences.[].kind'],
  ['kubernetes.pods', 'pods', 'metadata.ownerReferences.[].name'],
  ['kubernetes.pods', 'pods', 'spec'],
  ['kubernetes.pods', 'pods', 'spec.containers'],
  ['kubernetes.pods', 'pods', 'spec.containers.[].name'],
  ['kubernetes.pods', 'pods', 'spec.containers.[].image'],
  ['kubernetes.pods', 'pods', 'spec.containers.[].volumeMounts.[].mountPath'],
  ['kubernetes.pods', 'pods', 'spec.volumes.[].name'],
  ['kubernetes.pods', 'pods', 'status'],
  ['kubernetes.pods', 'pods', 'status.phase'],
  ['kubernetes.pods', 'pods', 'status.conditions.[].type'],
  ['kubernetes.pods', 'pods', 'status.conditions.[].status'],
  ['kubernetes.pods', 'pods', 'status.containerStatuses'],
  ['kubernetes.pods', 'pods', 'status.containerStatuses.[].name'],
  ['kubernetes.pods', 'pods', 'status.containerStatuses.[].state.running'],
  ['kubernetes.pods', 'pods', 'status.containerStatuses.[].state'],
  ['kubernetes.deployments', 'apps/deployments', 'spec.replicas'],
  ['kubernetes.deployments', 'apps/deployments', 'spec.template.spec.containers.[].image'],
  ['kubernetes.deployments', 'apps/deployments', 'status'],
  ['kubernetes.replica-sets', 'apps/replicasets', 'metadata.ownerReferences.[].controller'],
  ['kubernetes.replica-sets', 'apps/replicasets', 'spec.replicas'],
  ['kubernetes.stateful-sets', 'apps/statefulsets', 'spec.replicas'],
  ['kubernetes.stateful-sets', 'apps/statefulsets', 'spec.template'],
  ['kubernetes.daemon-sets', 'apps/daemonsets', 'status.desiredNumberScheduled'],
  ['kubernetes.nodes', 'nodes', 'status'],
  ['kubernetes.nodes', 'nodes', 'status.conditions.[].status'],
  ['kubernetes.services', 'services', 'spec'],
  ['kubernetes.services', 'services', 'spec.type'],
  ['kubernetes.services', 'services', 'status'],
  ['kubernetes.services', 'services', 'metadata.creationTimestamp'],
  ['kubernetes.persistent-volume-claims', 'persistentvolumeclaims', 'status.phase'],
  ['kubernetes.persistent-volumes', 'persistentvolumes', 'status.phase'],
  ['kubernetes.events', 'events', 'involvedObject'],
];

test.each(ALWAYS)('%s: %s without %s are not understood', async (id, list, path) => {
  const one = chosen.get(id)!;
  const usual = new Set(gapsOf(one.evidence).map(gap => gap.detail));
  const field = { read: `list ${list.includes('/') ? '' : '/'}${list}`, path: ['items', '[]', ...path.split('.')] };
  for (const wrong of [GONE, null]) {
    const { evidence, was } = await withWrong(one, field, wrong);
    expect(was).not.toBe('gone');
    const fresh = gapsOf(evidence).filter(gap => !usual.has(gap.detail));
    expect(fresh.map(({ reason }) => reason)).toContain('malformed');
  }
});

function gapsOf(evidence: Evidence) {
  return evidence.known ? gapsInside(evidence.value) : [evidence.gap];
}
