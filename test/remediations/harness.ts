import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { openLiveWriter } from '../../src/clusters/live-writer.ts';
import type { Evidence, EvidenceStore } from '../../src/model/evidence.ts';
import type { Finding } from '../../src/model/finding.ts';
import type {
  Action,
  AuditEntry,
  AuditLine,
  FixReport,
  Journal,
  LookedAt,
  Plan,
  Wishes,
  Writer,
} from '../../src/model/remediation.ts';
import type { RawObject } from '../../src/model/source.ts';
import { ACTIONS } from '../../src/remediations/catalogue.ts';
import { applyPlan, type Execution, goOn, type Verified } from '../../src/remediations/execute.ts';
import { attemptsIn } from '../../src/remediations/history.ts';
import { planOf } from '../../src/remediations/plan.ts';
import { undoPlanOf } from '../../src/remediations/undo.ts';
import { type BucketFault, startBuckets } from '../mutable-server/buckets.ts';
import { type MutableServer, type ServerOptions, startMutableServer } from '../mutable-server/server.ts';

export const NO_WISHES: Wishes = {
  insist: false,
  size: '',
  maxMemory: '',
  retention: '',
  range: '',
  bucketWrites: false,
  dataSteps: false,
  copy: '',
  downtime: false,
};

/** A fleet of one, of which all was read. */
const ALL_LOOKED_AT: LookedAt = { clusters: ['test'], leftOut: [], told: true, namespaces: [] };

/** What one action is tried on. */
export interface Scene {
  readonly action: string;
  readonly with: Readonly<Record<string, string>>;
  readonly objects: readonly RawObject[];
  /** Evidence by id, or by id and parameters as JSON. What is not given is a gap. */
  readonly evidence?: Readonly<Record<string, unknown>>;
  readonly wishes?: Partial<Wishes>;
  /** Default: the whole fleet. */
  readonly lookedAt?: Partial<LookedAt>;
  readonly server?: Partial<ServerOptions>;
  /** Whether the symptom is gone. Default: always. */
  readonly healed?: (server: MutableServer) => boolean;
  readonly rule?: string;
  readonly logsSaved?: boolean;
  /** What the person's own copy holds, by block. */
  readonly copies?: Readonly<Record<string, { readonly files: number; readonly bytes: number }>>;
  /** Objects by bucket; their server stands at the port that the configuration writes as 65535. */
  readonly buckets?: Readonly<Record<string, readonly string[]>>;
  /** What goes wrong with the n-th write to them. */
  readonly bucketFault?: (write: number) => BucketFault | undefined;
}

/** Stands for `kill -9`: nothing catches it. */
export class Killed extends Error {}

export interface Stage {
  readonly server: MutableServer;
  readonly hasBuckets: boolean;
  /** `bucket/key` of every object, and `bucket/` of every bucket. */
  readonly bucketObjects: () => readonly string[];
  readonly bucketWrites: readonly string[];
  readonly writer: Writer;
  readonly journal: Journal & { readonly lines: AuditLine[] };
  plan(change?: Partial<Scene>): Promise<Plan>;
  apply(plan: Plan): Promise<FixReport>;
  resume(): Promise<FixReport>;
  undoPlan(): Promise<Plan>;
  undo(): Promise<FixReport>;
  /** From here on, dies at the n-th call of writer or journal: before it, or after it took effect. */
  killAt(call: number, when: 'before' | 'after'): void;
  /** Lives again, as another process. */
  revive(): void;
  readonly killed: () => boolean;
}

/** The configuration in base64, with the port that the store really has. */
function withPort(port: number | undefined) {
  return (key: string, value: unknown) =>
    port !== undefined && key === 'store.yml' && typeof value === 'string'
      ? Buffer.from(Buffer.from(value, 'base64').toString('utf8').replace('65535', String(port)), 'utf8').toString(
          'base64',
        )
      : value;
}

let counter = 0;

export type StartServer = (options: ServerOptions) => Promise<MutableServer>;

/** A server with the scene's objects, and everything that a fix needs, in memory. */
export async function stage(scene: Scene, start: StartServer = startMutableServer): Promise<Stage> {
  const s3 = scene.buckets ? await startBuckets(scene.buckets, scene.bucketFault) : undefined;
  const objects = JSON.parse(JSON.stringify(scene.objects, withPort(s3?.port)));
  const server = await start({ objects, ...scene.server });
  const folder = await mkdtemp(join(tmpdir(), 'fix-'));
  const kubeconfig = join(folder, 'kubeconfig');
  await writeFile(kubeconfig, server.kubeconfig);
  const real = await openLiveWriter({ name: 'test', kubeconfig, environment: {}, retry: { retries: 1, delay: 1 } });
  onTestFinished(async () => {
    real.close();
    await server.close();
    s3?.close();
  });
  const lines: AuditLine[] = [];
  let calls = 0;
  let deadline: { readonly call: number; readonly when: 'before' | 'after' } | undefined;
  let dead = false;
  let now = Date.parse('2026-11-23T08:00:00Z');

  async function mortal<Value>(work: () => Promise<Value>): Promise<Value> {
    if (dead) throw new Killed();
    calls += 1;
    const mine = deadline?.call === calls ? deadline : undefined;
    if (mine?.when === 'before') {
      dead = true;
      throw new Killed();
    }
    const value = await work();
    if (mine) {
      dead = true;
      throw new Killed();
    }
    return value;
  }

  const journal = {
    place: 'memory',
    lines,
    append: (entry: AuditEntry) =>
      mortal(async () => {
        // What is kept is JSON: nothing else may be relied on.
        lines.push({ ...JSON.parse(JSON.stringify(entry)), time: new Date(now).toISOString() });
      }),
    read: async () => lines,
  };
  const writing = new Set(['patch', 'create', 'delete', 'evict', 'bucket']);
  const writer = new Proxy(real, {
    get(target, name: keyof Writer) {
      const member = target[name];
      if (typeof member !== 'function') return member;
      if (!writing.has(name)) return member;
      return (...given: unknown[]) => mortal(() => (member as (...all: unknown[]) => Promise<unknown>)(...given));
    },
  });
  const verify = async (): Promise<Verified> =>
    (scene.healed ?? (() => true))(server)
      ? { is: 'healthy', detail: 'healthy' }
      : { is: 'problem', detail: 'still there' };
  const execution: Execution = {
    writer,
    journal,
    clock: () => now,
    sleep: async milliseconds => {
      now += Math.max(milliseconds, 1);
    },
    verify,
  };

  function planning(change: Partial<Scene> = {}) {
    const given = { ...scene, ...change };
    return {
      finding: findingOf(given),
      parameters: given.with,
      api: writer,
      writer,
      evidence: evidenceOf({ 'kubernetes.owners': ownersIn(given.objects), ...given.evidence }),
      fleet: evidenceOf(given.evidence ?? {}),
      lookedAt: { ...ALL_LOOKED_AT, ...given.lookedAt },
      wishes: { ...NO_WISHES, ...given.wishes },
      history: lines,
      moment: { id: '20261123-080000-x', at: '2026-11-23T08:00:00Z' },
      copyOf: async (block: string) => given.copies?.[block],
      saveLogs: async () => given.logsSaved !== false,
    };
  }

  const lastFix = () => attemptsIn(lines).findLast(({ begin }) => begin.mode === 'fix')!;
  return {
    server,
    hasBuckets: s3 !== undefined,
    bucketObjects: () => s3?.all() ?? [],
    bucketWrites: s3?.writes ?? [],
    writer,
    journal,
    plan: change => planOf(actionOf(scene.action), planning(change)),
    apply(plan) {
      counter += 1;
      const id = `20261123-080000-${counter}`;
      return applyPlan({ id, plan, mode: 'fix', undoes: '', reason: '', at: '2026-11-23T08:00:00Z' }, execution);
    },
    async resume() {
      const attempt = attemptsIn(lines).at(-1);
      if (!attempt) throw new Error('there is nothing to go on with');
      return goOn(attempt.begin, execution);
    },
    undoPlan: () => undoPlanOf(lastFix(), planning()),
    async undo() {
      const attempt = lastFix();
      const plan = await undoPlanOf(attempt, planning());
      const open = plan.guards.find(({ result }) => result !== 'passed');
      if (open) throw new Error(`undo refused: ${open.id}: ${open.detail}`);
      counter += 1;
      const id = `20261123-090000-${counter}`;
      return applyPlan(
        { id, plan, mode: 'undo', undoes: attempt.begin.id, reason: '', at: '2026-11-23T09:00:00Z' },
        execution,
      );
    },
    killAt(call, when) {
      calls = 0;
      deadline = { call, when };
    },
    revive() {
      dead = false;
      deadline = undefined;
    },
    killed: () => dead,
  };
}

function actionOf(id: string): Action {
  const action = ACTIONS.get(id);
  if (!action) throw new Error(`there is no action ${id}`);
  return action;
}

function findingOf(scene: Scene): Finding {
  const rule = scene.rule ?? 'some-rule';
  return {
    id: `${rule}/test/Thing/ns/name`,
    rule,
    title: 'Something is broken',
    severity: 'critical',
    cluster: 'test',
    subject: { kind: 'Thing', namespace: 'ns', name: 'name' },
    message: 'It is broken.',
    since: '',
    facts: {},
    evidence: [],
    root: true,
    causedBy: [],
    atRisk: '',
    fix: { byHand: '', automatic: scene.action, action: { id: scene.action, with: scene.with, risk: '', onlyIf: [] } },
    involves: [],
  };
}

/** What the evidence says of the workloads of a scene: nobody else writes them. */
function ownersIn(objects: readonly RawObject[]): readonly RawObject[] {
  return objects.map(({ kind, metadata: { namespace, name } }) => {
    const key = `${kind} ${namespace}/${name}`;
    return { object: { key }, writeTo: { key }, gitops: '' };
  });
}

function evidenceOf(given: Readonly<Record<string, unknown>>): EvidenceStore {
  return {
    cluster: 'test',
    takenAt: Date.parse('2026-11-23T08:00:00Z'),
    describe: () => undefined,
    peek: () => undefined,
    async collect(id, params): Promise<Evidence> {
      const value = given[`${id} ${JSON.stringify(params)}`] ?? given[id];
      if (value !== undefined) return { known: true, value, from: [] };
      return {
        known: false,
        gap: { evidence: id, reason: 'forbidden', detail: `${id} was not given`, path: '', notLookedAt: false },
      };
    },
  };
}

/** Guards that did not pass, for a message. */
export function refusals(plan: Plan): readonly string[] {
  return plan.guards
    .filter(({ result }) => result !== 'passed')
    .map(({ id, result, detail }) => `${id} ${result}: ${detail}`);
}

/** Restarts leave their time behind, and what is created the plan's id: neither is a difference. */
const TRACES: ReadonlySet<string> = new Set([
  'kubectl.kubernetes.io/restartedAt',
  'deprecated.daemonset.template.generation',
  'thanos-doctor/plan',
]);

/** What the API server allots to a Service, another one each time. */
const ALLOTTED: ReadonlySet<string> = new Set(['clusterIP', 'clusterIPs', 'nodePort']);

function withoutTraces(key: string, value: unknown): unknown {
  if (TRACES.has(key) || ALLOTTED.has(key)) return undefined;
  if (key !== 'annotations' || typeof value !== 'object' || value === null) return value;
  return Object.keys(value).every(name => TRACES.has(name)) ? undefined : value;
}

/** The objects without what every write changes, to be compared. */
export function stateOfCluster(server: MutableServer, kinds: readonly string[]): unknown {
  const states = kinds.flatMap(kind =>
    server.all(kind).map(({ metadata, spec, data, value }) => ({
      annotations: metadata.annotations,
      kind,
      name: metadata.name,
      labels: metadata.labels,
      data,
      value,
      spec,
    })),
  );
  return JSON.parse(JSON.stringify(states, withoutTraces));
}
