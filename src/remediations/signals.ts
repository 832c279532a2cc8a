import type { EvidenceStore } from '../model/evidence.ts';
import { GapSignal } from '../model/gap.ts';
import type { Signal } from '../model/remediation.ts';
import type { RawObject } from '../model/source.ts';
import { rowsOf } from './evidence-rows.ts';
import { inWords, type Verified } from './execute.ts';
import { nameOf } from './targets.ts';

/** Counters as they were when a verification began, by name. A process that began anew counts from there again. */
export type SignalMemory = Map<string, number>;

/** Rounds of a sidecar through its blocks; it makes one every half minute. */
const ROUNDS = 2;

const seen = (detail: string): Verified => ({ is: 'healthy', detail });
const notYet = (detail: string): Verified => ({ is: 'problem', detail });

/** Whether every signal is seen, on evidence fetched now. The first that is seen not to be there is told, else the first that is not known. */
export async function lookForSignals(
  signals: readonly Signal[],
  evidence: EvidenceStore,
  memory: SignalMemory,
): Promise<Verified> {
  const looks: Verified[] = [];
  // All of them, each time: what a counter was at first is kept from the first look on.
  for (const signal of signals) looks.push(await lookForSignal(signal, evidence, memory));
  const open = looks.find(({ is }) => is === 'problem') ?? looks.find(({ is }) => is === 'unknown');
  return open ?? seen(looks.map(({ detail }) => detail).join('; '));
}

async function lookForSignal(signal: Signal, evidence: EvidenceStore, memory: SignalMemory): Promise<Verified> {
  try {
    switch (signal.is) {
      case 'uploads-go-on':
        return await uploadsGoOn(signal.workloads, evidence, memory);
      case 'compactor-goes-on':
        return await compactorGoesOn(signal, evidence, memory);
      case 'runs-for':
        return await runsFor(signal, evidence);
      case 'prometheus-reconciled':
        return await prometheusReconciled(signal.prometheus, evidence);
      case 'prometheus-ready':
        return await prometheusReady(signal.prometheus, evidence);
      case 'prometheus-flag':
        return await prometheusFlag(signal, evidence);
      case 'alerts-loaded':
        return await alertsLoaded(signal, evidence);
      case 'targets-up':
        return await targetsUp(signal, evidence);
      case 'pods-scraped':
        return await podsScraped(signal.pods, evidence);
      case 'address-announced':
        return await addressAnnounced(signal.policy, evidence);
    }
  } catch (error) {
    if (error instanceof GapSignal) return { is: 'unknown', detail: error.gap.detail };
    throw error;
  }
}

/** What a counter has risen by since it was first seen; it is seen first now where it has fallen. */
function risen(memory: SignalMemory, name: string, now: number): number {
  const before = memory.get(name);
  if (before === undefined || now < before) {
    memory.set(name, now);
    return 0;
  }
  return now - before;
}

/** One of several proofs: a gap in one does not matter where another is given. */
function proof(read: () => boolean, gaps: GapSignal[]): boolean {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof GapSignal)) throw error;
    gaps.push(error);
    return false;
  }
}

async function uploadsGoOn(
  workloads: readonly string[],
  evidence: EvidenceStore,
  memory: SignalMemory,
): Promise<Verified> {
  const rows = (await rowsOf(evidence, 'thanos.uploads')).filter(row => workloads.includes(row.workload.key));
  if (rows.length === 0) return notYet('none of the sidecars is seen');
  const metrics = await rowsOf(evidence, 'thanos.metrics').catch(noRows);
  const began = memory.get('began') ?? evidence.takenAt;
  memory.set('began', began);
  let onlyRounds = false;
  for (const row of rows) {
    const { key, name } = row.pod;
    const numbers = metrics.find(one => proof(() => one.containerKey === row.containerKey, []));
    const gaps: GapSignal[] = [];
    const uploaded =
      proof(() => Date.parse(row.newest) > began || Date.parse(row.lastUpload) > began, gaps) ||
      proof(() => numbers !== undefined && risen(memory, `${key} uploads`, numbers.uploads) > 0, gaps);
    // Read in any case: what it was at first is what the next look compares with.
    const rounds = proof(
      () => numbers !== undefined && risen(memory, `${key} rounds`, numbers.dirSyncs) >= ROUNDS,
      gaps,
    );
    if (uploaded) continue;
    if (!rounds) {
      if (!numbers && gaps[0]) throw gaps[0];
      return notYet(`sidecar of ${name} has not gone through its blocks ${ROUNDS} times yet`);
    }
    onlyRounds = true;
  }
  if (!onlyRounds) return seen('a block was uploaded');
  return seen(`the sidecars go through their blocks again; the next block is due at ${nextBlock(evidence.takenAt)}`);
}

/** Their absence is told by the proof that lacks then. */
function noRows(error: unknown): readonly RawObject[] {
  if (error instanceof GapSignal) return [];
  throw error;
}

/** Blocks of two hours are cut an hour after their end. */
function nextBlock(now: number): string {
  const hour = 3_600_000;
  const due = (Math.floor((now - hour) / (2 * hour)) + 1) * 2 * hour + hour;
  return new Date(due).toISOString().replace(':00.000Z', 'Z');
}

async function compactorGoesOn(
  { workload, iterations }: Extract<Signal, { is: 'compactor-goes-on' }>,
  evidence: EvidenceStore,
  memory: SignalMemory,
): Promise<Verified> {
  const row = (await rowsOf(evidence, 'thanos.compactors')).find(one => one.workload.key === workload);
  if (!row?.running) return notYet(`${workload} does not run`);
  if (row.halted) return notYet(`${workload} has halted`);
  const count = risen(memory, `${row.pod.key} ${row.pod.uid ?? ''} iterations`, row.iterations);
  return count >= iterations
    ? seen(`${workload} got through ${count} iterations`)
    : notYet(`${workload} got through ${count} of ${iterations} iterations`);
}

async function runsFor(
  { workloads, container, seconds }: Extract<Signal, { is: 'runs-for' }>,
  evidence: EvidenceStore,
): Promise<Verified> {
  const rows = (await rowsOf(evidence, 'kubernetes.containers')).filter(
    row =>
      workloads.includes(row.workload.key) &&
      row.kind !== 'init' &&
      !row.podDeleting &&
      (container === '' || row.container === container),
  );
  const lacks = workloads.find(key => !rows.some(row => row.workload.key === key));
  if (lacks) return notYet(`${lacks} has no pod`);
  const open = rows.find(row => !row.ready || row.runningAge < seconds);
  if (!open) return seen(`${container || 'everything'} of ${workloads.join(', ')} has run for ${inWords(seconds)}`);
  const { name } = open.pod;
  if (!open.ready) return notYet(`${open.container} of ${name} is not ready`);
  return notYet(`${open.container} of ${name} has run for ${inWords(open.runningAge)} of ${inWords(seconds)}`);
}

async function prometheusReconciled(prometheus: string, evidence: EvidenceStore): Promise<Verified> {
  const row = (await rowsOf(evidence, 'prometheus-operator.prometheuses')).find(one => one.key === prometheus);
  if (!row) return notYet(`${prometheus} is gone`);
  if (row.statusPaused) return notYet(`the operator still takes ${prometheus} for paused`);
  if (row.observedGeneration < row.generation) return notYet(`the operator has not seen the newest ${prometheus}`);
  return row.reconciled === 'True'
    ? seen(`the operator has reconciled ${prometheus}`)
    : notYet(`${prometheus} is not reconciled: ${row.reconciledMessage || row.reconciled}`);
}

async function prometheusReady(prometheus: string, evidence: EvidenceStore): Promise<Verified> {
  const replicas = (await rowsOf(evidence, 'prometheus.replicas')).filter(row => row.prometheus.key === prometheus);
  if (replicas.length === 0) return notYet(`${prometheus} has no pod`);
  const open = replicas.find(row => !row.ready);
  if (open) return notYet(`${open.pod.name} is not ready`);
  return seen(`every replica of ${prometheus} is ready`);
}

async function prometheusFlag(
  { prometheus, flag, seconds }: Extract<Signal, { is: 'prometheus-flag' }>,
  evidence: EvidenceStore,
): Promise<Verified> {
  const rows = (await rowsOf(evidence, 'prometheus.flags')).filter(row => row.prometheus.key === prometheus);
  if (rows.length === 0) return notYet(`no pod of ${prometheus} tells its flags`);
  const values = (row: RawObject): readonly number[] =>
    flag === 'retention' ? [row.retention] : [row.minBlock, row.maxBlock];
  const other = rows.find(row => values(row).some(value => value !== seconds));
  if (other) return notYet(`${other.pod.name} runs with ${values(other).join(' and ')} s, not with ${seconds} s`);
  return seen(`every replica of ${prometheus} runs with it`);
}

async function alertsLoaded(
  { rule, alerts }: Extract<Signal, { is: 'alerts-loaded' }>,
  evidence: EvidenceStore,
): Promise<Verified> {
  const evaluators = (await rowsOf(evidence, 'prometheus.rules')).filter(row => row.running);
  // The operator names the file after the object and its uid.
  const file = `${rule.namespace}-${rule.name}-`;
  const squeezed = (expr: string) => expr.replace(/\s+/g, '');
  for (const { alert, expr } of alerts) {
    const loaded: readonly RawObject[] = evaluators
      .flatMap(row => row.rules as readonly RawObject[])
      .filter(one => one.name === alert && String(one.file).includes(file))
      .filter(one => expr === '' || squeezed(one.expr) === squeezed(expr));
    if (loaded.length === 0) return notYet(`${alert} is not loaded yet`);
    const bad = loaded.find(one => one.health !== 'ok');
    if (bad) return notYet(bad.error ? `${alert}: ${bad.error}` : `${alert} was not evaluated yet`);
  }
  return seen(`${alerts.length} alerts of ${nameOf(rule)} are evaluated`);
}

async function targetsUp(
  { monitor, endpoint }: Extract<Signal, { is: 'targets-up' }>,
  evidence: EvidenceStore,
): Promise<Verified> {
  const rows = (await rowsOf(evidence, 'prometheus.targets')).filter(row => row.running);
  const targets: readonly RawObject[] = rows
    .flatMap(row => row.targets as readonly RawObject[])
    .filter(one => one.monitor.key === monitor && (endpoint < 0 || String(one.pool).endsWith(`/${endpoint}`)));
  if (targets.length === 0) return notYet(`${monitor} has no target yet`);
  const down = targets.find(one => one.health !== 'up');
  if (down) return notYet(`${down.address} is ${down.health}${down.error ? `: ${down.error}` : ''}`);
  return seen(`${targets.length} targets of ${monitor} are up`);
}

async function podsScraped(pods: readonly string[], evidence: EvidenceStore): Promise<Verified> {
  const rows = (await rowsOf(evidence, 'prometheus.targets')).filter(row => row.running);
  const targets: readonly RawObject[] = rows
    .flatMap(row => row.targets as readonly RawObject[])
    .filter(one => pods.includes(one.pod.key));
  if (targets.length === 0) return notYet('the pods are no targets any more');
  const down = targets.find(one => one.health !== 'up');
  return down ? notYet(`${down.address} is ${down.health}: ${down.error}`) : seen(`${targets.length} targets are up`);
}

async function addressAnnounced(policy: string, evidence: EvidenceStore): Promise<Verified> {
  const rows = (await rowsOf(evidence, 'cilium.load-balancers')).filter(
    row => row.l2.needed && row.ips.length > 0 && row.l2.policies.includes(policy),
  );
  if (rows.length === 0) return notYet(`no address is announced by policy ${policy} yet`);
  const mute = rows.find(row => row.l2.why !== '' || row.l2.holder === '');
  if (mute) return notYet(`nobody announces the address of ${mute.service.key} yet`);
  return seen(rows.map(row => `${row.l2.holder} announces ${row.ips.join(' and ')}`).join(', '));
}
