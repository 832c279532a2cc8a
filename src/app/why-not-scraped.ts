import { qualify, subjectKey } from '../checks/object-keys.ts';
import { gapsIn, known } from '../evidence/gaps.ts';
import { nearestName } from '../evidence/nearest-name.ts';
import type { EvidenceStore } from '../model/evidence.ts';
import type { Finding } from '../model/finding.ts';
import type { Ref } from '../model/shape.ts';
import type { Source } from '../model/source.ts';
import { UserError } from '../model/user-error.ts';
import type { ScrapeAnswer, ScrapeStep } from '../report/why-not-scraped.ts';
import { type DiagnosisSetting, diagnoseAfresh, type FreshDiagnosis } from './fix-diagnosis.ts';

/** Rules that may tell why a step is not taken, and how to take it. */
const RULES: Readonly<Record<string, readonly string[]>> = {
  chosen: ['monitor-not-selected', 'rule-not-selected'],
  accepted: ['operator-namespace-not-watched', 'monitor-rejected', 'rule-rejected', 'operator-forbidden'],
  finds: [
    'monitor-matches-no-service',
    'monitor-matches-no-pod',
    'monitor-port-name-mismatch',
    'prometheus-discovery-forbidden',
  ],
  configured: [
    'operator-down',
    'prometheus-paused',
    'prometheus-not-reconciled',
    'prometheus-config-invalid',
    'prometheus-config-secret-too-large',
    'config-reloader-failing',
    'prometheus-down',
    'monitor-not-in-configuration',
    'rule-not-loaded',
  ],
  answers: [
    'network-policy-blocks',
    'target-refuses-connections',
    'target-times-out',
    'target-rejects-credentials',
    'target-path-not-found',
    'target-answers-error',
    'target-scheme-wrong',
    'target-certificate-rejected',
    'target-name-unresolved',
    'target-answers-no-metrics',
    'target-limit-exceeded',
    'prometheus-discovery-forbidden',
    'prometheus-down',
    'target-down',
  ],
};

const KINDS: Readonly<Record<string, string>> = {
  service: 'Service',
  svc: 'Service',
  servicemonitor: 'ServiceMonitor',
  smon: 'ServiceMonitor',
  podmonitor: 'PodMonitor',
  pmon: 'PodMonitor',
  probe: 'Probe',
  prb: 'Probe',
  scrapeconfig: 'ScrapeConfig',
  scfg: 'ScrapeConfig',
  prometheusrule: 'PrometheusRule',
  promrule: 'PrometheusRule',
  alertmanagerconfig: 'AlertmanagerConfig',
  amcfg: 'AlertmanagerConfig',
};

/** Where the objects are listed that can be asked for. */
const LISTS: readonly (readonly [string, string])[] = [
  ['kubernetes.services', 'Service'],
  ['prometheus-operator.monitors', ''],
  ['prometheus-operator.rules', 'PrometheusRule'],
  ['prometheus-operator.alertmanager-configs', 'AlertmanagerConfig'],
];

interface Candidate {
  readonly store: EvidenceStore;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}

/**
 * Says of a Service, monitor, PrometheusRule or AlertmanagerConfig how far it gets on its way into effect. `asked` is
 * `[kind/][namespace/]name`. Throws a `UserError` where no object, or more than one, has that name.
 */
export async function whyNotScraped(
  sources: readonly Source[],
  setting: DiagnosisSetting,
  asked: string,
): Promise<readonly ScrapeAnswer[]> {
  const wanted = new Set(Object.values(RULES).flat());
  const fresh = await diagnoseAfresh(
    sources,
    setting,
    setting.rules.filter(({ id }) => wanted.has(id)),
  );
  const candidates = await resolve(fresh, asked);
  const answers: ScrapeAnswer[] = [];
  for (const { store, kind, namespace, name } of candidates) {
    answers.push(
      kind === 'Service'
        ? await ofService(store, namespace, name, fresh)
        : await ofObject(store, kind, namespace, name, '', fresh),
    );
  }
  // A monitor that its Service has told of is not told of again.
  const told = new Set(
    answers.flatMap(({ through }) => through.map(({ cluster, object }) => `${cluster} ${subjectKey(object)}`)),
  );
  return answers.filter(({ cluster, object }) => !told.has(`${cluster} ${subjectKey(object)}`));
}

async function resolve({ evidence, result }: FreshDiagnosis, asked: string): Promise<readonly Candidate[]> {
  const parts = asked.split('/');
  const kindWord = (parts[0] ?? '').toLowerCase().replace(/s$/, '');
  const kind = parts.length > 1 ? (KINDS[kindWord] ?? '') : '';
  const path = kind === '' ? parts : parts.slice(1);
  const name = path.at(-1) ?? '';
  const namespace = path.length > 1 ? path.at(-2)! : '';
  const isOfUnknownKind = kind === '' && parts.length === 3 && name !== '';
  if (isOfUnknownKind)
    throw new UserError(`cannot look for "${asked}": there is no kind "${parts[0]}" here`, ...kindHints(kindWord));
  if (name === '' || path.length > 2)
    throw new UserError(`cannot look for "${asked}": a name is written as [kind/][namespace/]name`, ...kindHints(''));
  const all: Candidate[] = [];
  const unread: string[] = result.unknowns.filter(({ rule }) => rule === '').map(({ gaps }) => gaps[0].detail);
  for (const store of evidence.clusters) {
    for (const [id, listed] of LISTS) {
      const rows = await store.collect(id, {});
      if (!rows.known) {
        unread.push(rows.gap.detail);
        continue;
      }
      const list = rows.value as readonly {
        readonly kind?: string;
        readonly namespace: string;
        readonly name: string;
      }[];
      for (const row of known(list))
        all.push({ store, kind: listed || row.kind!, namespace: row.namespace, name: row.name });
      unread.push(...gapsIn(list).map(({ detail }) => detail));
    }
  }
  const ofKind = all.filter(candidate => kind === '' || candidate.kind === kind);
  const found = ofKind.filter(
    candidate => candidate.name === name && (namespace === '' || candidate.namespace === namespace),
  );
  if (found.length === 0) {
    // Where there is nothing in such a namespace, it was most likely meant as a kind.
    const isKind = kind === '' && namespace !== '' && !all.some(candidate => candidate.namespace === namespace);
    throw notFound(asked, namespace, name, ofKind, unread, isKind ? kindHints(kindWord) : []);
  }
  if (new Set(found.map(candidate => candidate.namespace)).size > 1) {
    throw new UserError(
      `"${asked}" may be several things: say which`,
      ...new Set(found.map(candidate => `${candidate.kind.toLowerCase()}/${candidate.namespace}/${candidate.name}`)),
    );
  }
  return found;
}

/** The kinds that there are, and the one that was most likely meant. */
function kindHints(word: string): readonly string[] {
  const kinds = [...new Set(Object.values(KINDS))].map(kind => kind.toLowerCase());
  const near = word === '' ? '' : nearestName(word, kinds);
  return [...(near === '' ? [] : [`did you mean ${near}/…?`]), `kinds: ${kinds.join(', ')}`];
}

function notFound(
  asked: string,
  namespace: string,
  name: string,
  all: readonly Candidate[],
  unread: readonly string[],
  kinds: readonly string[],
): UserError {
  const inNamespace = all.filter(candidate => namespace === '' || candidate.namespace === namespace);
  const nearest = nearestName(name, [...new Set(inNamespace.map(candidate => candidate.name))]);
  const near = [
    ...all.filter(candidate => candidate.name === name),
    ...inNamespace.filter(candidate => candidate.name === nearest),
    ...inNamespace.filter(candidate => candidate.name.includes(name)),
    ...all.filter(candidate => candidate.name.includes(name)),
  ].map(candidate => `${candidate.kind.toLowerCase()}/${candidate.namespace}/${candidate.name}`);
  return new UserError(
    `there is no Service, monitor, PrometheusRule or AlertmanagerConfig "${asked}"`,
    ...[...new Set(near)].slice(0, 5).map((text, at) => (at === 0 ? `did you mean ${text}?` : `or ${text}`)),
    ...(kinds.length > 0 ? [`nothing that could be asked for is in a namespace ${namespace}`, ...kinds] : []),
    ...[...new Set(unread)].slice(0, 3).map(detail => `it may be where nobody could look: ${detail}`),
  );
}

function at(store: EvidenceStore) {
  return { cluster: store.cluster, takenAt: new Date(store.takenAt).toISOString() };
}

async function ofService(
  store: EvidenceStore,
  namespace: string,
  name: string,
  fresh: FreshDiagnosis,
): Promise<ScrapeAnswer> {
  const object = { kind: 'Service', namespace, name };
  const evidence = await store.collect('prometheus-operator.service-monitors', { namespace, name });
  const step = (state: ScrapeStep['state'], says: string, remedy = ''): ScrapeStep => {
    return { step: 'named', state, says, rule: '', facts: {}, remedy };
  };
  if (!evidence.known) {
    const steps = [step('unknown', evidence.gap.detail)];
    return { ...at(store), object, verdict: 'unknown', steps, through: [] };
  }
  const found = evidence.value as {
    readonly monitors: readonly Ref[];
    readonly nearest: Ref;
    readonly lacks: string;
    readonly remedy: string;
    readonly annotated: boolean;
  };
  if (found.monitors.length === 0) {
    const nearest = found.nearest.name === '' ? '' : `; the nearest is ${found.nearest.key}, and ${found.lacks}`;
    const annotated = found.annotated ? '. Its annotation prometheus.io/scrape means nothing to the operator' : '';
    const steps = [step('stopped', `by no monitor${nearest}${annotated}`, found.remedy)];
    return { ...at(store), object, verdict: 'stopped', steps, through: [] };
  }
  const through: ScrapeAnswer[] = [];
  for (const monitor of found.monitors)
    through.push(await ofObject(store, monitor.kind, monitor.namespace, monitor.name, `${namespace}/${name}`, fresh));
  const verdict = (['works', 'stopped', 'unknown'] as const).find(one =>
    through.some(answer => answer.verdict === one),
  )!;
  const steps = [step('done', `by ${found.monitors.map(({ key }) => key).join(', ')}`)];
  return { ...at(store), object, verdict, steps, through };
}

async function ofObject(
  store: EvidenceStore,
  kind: string,
  namespace: string,
  name: string,
  service: string,
  { result }: FreshDiagnosis,
): Promise<ScrapeAnswer> {
  const object = { kind, namespace, name };
  const evidence = await store.collect('prometheus-operator.scrape-chain', { kind, namespace, name, service });
  const plain = { rule: '', facts: {} };
  if (!evidence.known) {
    const steps = [{ step: 'chosen', state: 'unknown' as const, says: evidence.gap.detail, remedy: '', ...plain }];
    return { ...at(store), object, verdict: 'unknown', steps, through: [] };
  }
  const chain = evidence.value as {
    readonly takers: readonly Ref[];
    readonly steps: readonly Omit<ScrapeStep, 'rule' | 'facts'>[];
  };
  const own = subjectKey(object);
  const keys = new Set([own, ...chain.takers.map(({ key }) => key)].map(key => qualify(key, store.cluster)));
  const findings = result.findings.filter(finding => finding.cluster === store.cluster && isAbout(finding, own, keys));
  const runs = chain.steps.some(({ step, state }) => step === 'configured' && state === 'done');
  const steps = chain.steps.map(step => {
    // What runs was accepted, whatever the operator has against others.
    const settled = step.state === 'done' && (step.step !== 'accepted' || runs);
    const finding = settled ? undefined : firstOf(findings, RULES[step.step] ?? []);
    return finding ? explained(step, finding) : { ...step, ...plain };
  });
  return { ...at(store), object, verdict: verdictOf(steps), steps, through: [] };
}

/** A finding about the object itself, about somebody who takes it, or about what lies between them. */
function isAbout({ subject, rule, involves }: Finding, own: string, keys: ReadonlySet<string>): boolean {
  if (subjectKey(subject) === own) return true;
  const isOfOthers = /^(?:monitor|rule|target)-|^operator-namespace/.test(rule);
  return !isOfOthers && involves.some(key => keys.has(key));
}

function firstOf(findings: readonly Finding[], rules: readonly string[]): Finding | undefined {
  return rules.map(id => findings.find(({ rule }) => rule === id)).find(finding => finding !== undefined);
}

/** Rules that say no more than the step itself. */
const SAME =
  /^(?:monitor-not-selected|rule-not-selected|monitor-matches-.*|monitor-port-name-mismatch|monitor-not-in-configuration|rule-not-loaded|target-down)$/;

function explained(step: Omit<ScrapeStep, 'rule' | 'facts'>, { rule, message, facts, fix }: Finding): ScrapeStep {
  const remedy = step.remedy || fix.byHand;
  if (step.state === 'stopped' && SAME.test(rule)) return { ...step, rule, facts: {}, remedy };
  const says = step.state === 'stopped' ? `${step.says}. ${message}` : message;
  return { ...step, state: 'stopped', says, rule, facts, remedy };
}

/** Targets that answer are proof of every step before them. */
function verdictOf(steps: readonly ScrapeStep[]): ScrapeAnswer['verdict'] {
  if (steps.at(-1)?.state === 'done' && steps.at(-1)?.step !== 'accepted') return 'works';
  if (steps.some(({ state }) => state === 'stopped')) return 'stopped';
  return steps.some(({ state }) => state === 'unknown') ? 'unknown' : 'works';
}
