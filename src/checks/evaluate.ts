import type { Evidence, EvidenceStore } from '../model/evidence.ts';
import type { EvidenceItem, FactValue, Finding, FindingAction, Subject, Unknown, Verdict } from '../model/finding.ts';
import { type Gap, GapSignal } from '../model/gap.ts';
import type { AutomaticFix, EvidenceUse, Expression, Rule, Template } from '../model/rule.ts';
import type { Compiled } from './cel.ts';
import { compiledExpression } from './load-rules.ts';
import { qualify, subjectKey } from './object-keys.ts';
import { firstGap } from './operators.ts';
import { Suspension } from './suspension.ts';
import { thresholdValues } from './thresholds.ts';

/** Distinct places of one kind of evidence that a finding names. */
const PLACES_PER_EVIDENCE = 6;
/** Log lines that a finding quotes. */
const QUOTES = 8;

/** What one evaluation needs besides the rule. */
export interface Evaluation {
  readonly store: EvidenceStore;
  readonly compiled: Map<string, Compiled>;
}

/** Judges one rule over one store: a verdict for each subject. Evidence is collected when an expression touches it. */
export async function evaluateRule(rule: Rule, evaluation: Evaluation): Promise<readonly Verdict[]> {
  const { store } = evaluation;
  const top = new RuleScope(rule, evaluation, undefined);
  if (!rule.forEach) {
    const verdict = await judge(rule, top);
    return merge(rule, store.cluster, [
      verdict.is === 'problem' ? await describe(rule, top, verdict.subject) : verdict,
    ]);
  }
  const rows = await top.attempt(rule.forEach.over);
  if (!rows.known) return [unknown(rule, store.cluster, undefined, rows.gaps)];
  const judged: (RowVerdict | Promise<RowVerdict>)[] = [];
  const scopeOf = (row: unknown) => new RuleScope(rule, evaluation, row, top.read);
  const scope = scopeOf(undefined);
  const healthy = new HealthySubjects();
  for (const row of rows.value as readonly unknown[]) {
    scope.moveTo(row);
    // Nearly all rows are settled at once. What all of them read is waited for; what is a row's own, such as its log, is
    // collected for all of them together.
    const verdict = judgeNow(rule, scope) ?? (scope.wantsShared ? await judge(rule, scope) : undefined);
    if (verdict?.is === 'nothing') continue;
    if (verdict?.is === 'healthy' && !healthy.isNew(verdict.subject)) continue;
    judged.push(!verdict || verdict.is === 'problem' ? judgeRow(rule, scopeOf(row)) : verdict);
  }
  // A promise for each of a hundred thousand rows that are settled would cost more than all their conditions.
  await Promise.all(judged.filter(verdict => verdict instanceof Promise));
  const settled: RowVerdict[] = [];
  for (const verdict of judged) settled.push(verdict instanceof Promise ? await verdict : verdict);
  return merge(rule, store.cluster, settled);
}

/** Of a subject that is well in several rows, the first says all. */
class HealthySubjects {
  readonly #seen = new Set<string>();
  #last: Subject = NAMELESS;

  isNew(subject: Subject): boolean {
    // Rows of one subject mostly follow each other.
    const { kind, namespace, name } = this.#last;
    if (name !== '' && subject.name === name && subject.namespace === namespace && subject.kind === kind) return false;
    this.#last = subject;
    const key = subjectKey(subject);
    if (this.#seen.has(key)) return false;
    this.#seen.add(key);
    return true;
  }
}

async function judgeRow(rule: Rule, scope: RuleScope): Promise<RowVerdict> {
  const verdict = await judge(rule, scope);
  return verdict.is === 'problem' ? describe(rule, scope, verdict.subject) : verdict;
}

type Attempt =
  | { readonly known: true; readonly value: unknown }
  | { readonly known: false; readonly gaps: readonly [Gap, ...Gap[]] };

interface Wanted {
  readonly use: EvidenceUse;
  readonly params: Readonly<Record<string, string>>;
}

const SCOPE = Symbol('scope');
const NO_PARAMS: Readonly<Record<string, string>> = {};

/** The names of a rule as getters on a prototype, made once for all of its rows. */
const names = new WeakMap<Rule, object>();

function namesOf(rule: Rule): object {
  let prototype = names.get(rule);
  if (!prototype) {
    prototype = {};
    const define = (name: string, read: (scope: RuleScope) => unknown) =>
      Object.defineProperty(prototype, name, {
        enumerable: true,
        get(this: { readonly [SCOPE]: RuleScope }) {
          return read(this[SCOPE]);
        },
      });
    define('cluster', scope => scope.cluster);
    const thresholds = thresholdValues(rule);
    define('thresholds', () => thresholds);
    for (const [name, use] of Object.entries(rule.evidence)) define(name, scope => scope.touch(use));
    if (rule.forEach) define(rule.forEach.name, scope => scope.row);
    rule.let.forEach(({ name, value }, index) => {
      define(name, scope => scope.bound(index, value));
    });
    names.set(rule, prototype);
  }
  return prototype;
}

/** Every row may touch the same gap: one signal for all of them. */
const signals = new WeakMap<Gap, GapSignal>();

function signalOf(gap: Gap): GapSignal {
  let signal = signals.get(gap);
  if (!signal) {
    signal = new GapSignal(gap);
    signals.set(gap, signal);
  }
  return signal;
}

/** Found by the expression itself: its text is long, and is looked up a million times. */
const compiledOnce = new WeakMap<Expression, Compiled>();

/** The names of one rule and one row, as CEL sees them. Touching what has not been collected suspends the evaluation. */
class RuleScope {
  row: unknown;
  readonly #variables: object;
  readonly #rule: Rule;
  readonly #evaluation: Evaluation;
  #wanted: Wanted | undefined;
  #suspensions = 0;
  #touched: Gap[] = [];
  readonly #bound: unknown[] = [];
  readonly #above: ReadonlyMap<string, Evidence>;
  #own: Map<string, Evidence> | undefined;

  constructor(rule: Rule, evaluation: Evaluation, row: unknown, above: ReadonlyMap<string, Evidence> = new Map()) {
    this.row = row;
    this.#rule = rule;
    this.#evaluation = evaluation;
    this.#above = above;
    this.#variables = Object.create(namesOf(rule), { [SCOPE]: { value: this } });
  }

  get cluster(): string {
    return this.#evaluation.store.cluster;
  }

  /** The last attempt has to wait for evidence that is the same for every row. */
  get wantsShared(): boolean {
    return this.#wanted?.params === NO_PARAMS;
  }

  /** Goes on to the next row: one scope serves all rows of a rule, one after the other. */
  moveTo(row: unknown): void {
    this.row = row;
    if (this.#bound.length > 0) this.#bound.length = 0;
    this.#own = undefined;
  }

  /** The value, a gap, or undefined where evidence has to be collected first. */
  attemptNow(expression: Expression): Attempt | undefined {
    this.#start();
    try {
      return { known: true, value: this.#now(expression) };
    } catch (error) {
      if (!(error instanceof Suspension) && !(error instanceof GapSignal)) throw error;
      if (this.#wanted) return undefined;
      const surfaced = error instanceof GapSignal ? [error.gap] : [];
      return { known: false, gaps: distinctGaps([...this.#touched, ...surfaced].map(gap => this.#explained(gap))) };
    }
  }

  #start(): void {
    this.#wanted = undefined;
    if (this.#touched.length > 0) this.#touched = [];
  }

  /**
   * A gap inside of evidence may not say whose it is: then it is that of the rule's first evidence. What a bundle lacks was
   * not looked at where the evidence is optional, and is missing where it is core.
   */
  #explained(gap: Gap): Gap {
    const evidence = gap.evidence || (Object.values(this.#rule.evidence)[0]?.from ?? '');
    const optional = this.#evaluation.store.describe(evidence)?.core === false;
    return { ...gap, evidence, notLookedAt: gap.notLookedAt || (gap.reason === 'not-in-bundle' && optional) };
  }

  /** Evaluates, collecting what is touched, until there is an answer or a gap. */
  async attempt(expression: Expression): Promise<Attempt> {
    for (;;) {
      const attempt = this.attemptNow(expression);
      if (attempt) return attempt;
      const { use, params } = this.#wanted!;
      await this.#evaluation.store.collect(use.from, params);
    }
  }

  /** Prose with its expressions filled in. What is not known reads `(not known)`. */
  async fill(template: Template): Promise<string> {
    let text = '';
    for (const part of template.parts) {
      if (typeof part === 'string') {
        text += part;
        continue;
      }
      const attempt = await this.attempt(part);
      text += attempt.known ? inProse(attempt.value) : NOT_KNOWN;
    }
    return text;
  }

  /** Prose, or undefined where a part of it is not known. */
  async exact(template: Template): Promise<string | undefined> {
    let text = '';
    for (const part of template.parts) {
      const attempt = typeof part === 'string' ? { known: true as const, value: part } : await this.attempt(part);
      if (!attempt.known || isPartlyUnknown(attempt.value)) return undefined;
      text += inProse(attempt.value);
    }
    return text;
  }

  /** The same at once; null where evidence has to be collected first. */
  exactNow(template: Template): string | undefined | null {
    let text = '';
    this.#start();
    try {
      for (const part of template.parts) text += typeof part === 'string' ? part : exactText(this.#now(part));
      return text;
    } catch (error) {
      if (!(error instanceof Suspension) && !(error instanceof GapSignal)) throw error;
      return this.#wanted ? null : undefined;
    }
  }

  /** All evidence that this row has read so far. */
  get read(): ReadonlyMap<string, Evidence> {
    return this.#own ? new Map([...this.#above, ...this.#own]) : this.#above;
  }

  /**
   * A name of `let`, remembered once it is known. What touched evidence that is yet to be collected is not remembered: by
   * then, more of it may be known.
   */
  bound(index: number, value: Expression): unknown {
    const known = this.#bound[index];
    if (known !== undefined) return known;
    const before = this.#suspensions;
    const now = this.#now(value);
    if (this.#suspensions === before) this.#bound[index] = now;
    return now;
  }

  touch(use: EvidenceUse): unknown {
    const params = this.#params(use);
    const evidence = this.#evaluation.store.peek(use.from, params);
    if (!evidence) {
      this.#wanted ??= { use, params };
      this.#suspensions += 1;
      throw new Suspension();
    }
    const key = params === NO_PARAMS ? use.from : `${use.from} ${JSON.stringify(params)}`;
    if (!this.#above.has(key)) {
      this.#own ??= new Map();
      this.#own.set(key, evidence);
    }
    if (evidence.known) return evidence.value;
    this.#touched.push(evidence.gap);
    throw signalOf(evidence.gap);
  }

  #now(expression: Expression): unknown {
    let compiled = compiledOnce.get(expression);
    if (!compiled) {
      compiled = compiledExpression(expression, this.#evaluation.compiled, this.#rule.forEach?.name);
      compiledOnce.set(expression, compiled);
    }
    return compiled.evaluate(this.#variables, this.row);
  }

  #params(use: EvidenceUse): Readonly<Record<string, string>> {
    const given = Object.entries(use.with);
    if (given.length === 0) return NO_PARAMS;
    const params: Record<string, string> = {};
    for (const [name, template] of given) {
      params[name] = template.parts
        .map(part => (typeof part === 'string' ? part : exactText(this.#now(part))))
        .join('');
    }
    return params;
  }

  get quotesSignatures(): ReadonlySet<string> {
    return literalsOf(this.#rule);
  }
}

type RowVerdict =
  | { readonly is: 'nothing' }
  | { readonly is: 'healthy'; readonly subject: Subject }
  | { readonly is: 'unknown'; readonly subject: Subject | undefined; readonly gaps: readonly [Gap, ...Gap[]] }
  | { readonly is: 'problem'; readonly finding: Finding };

/** A row's verdict before a problem is described. */
type Judgement =
  | Exclude<RowVerdict, { is: 'problem' }>
  | { readonly is: 'problem'; readonly subject: Subject | undefined };

async function judge(rule: Rule, scope: RuleScope): Promise<Judgement> {
  if (rule.where) {
    const where = await scope.attempt(rule.where);
    if (where.known && where.value !== true) return { is: 'nothing' };
    if (!where.known) return { is: 'unknown', subject: await subjectOf(rule, scope), gaps: where.gaps };
  }
  const problem = await scope.attempt(rule.problemWhen);
  return judged(problem, await subjectOf(rule, scope));
}

/** The same without waiting; undefined where evidence has to be collected first. */
function judgeNow(rule: Rule, scope: RuleScope): Judgement | undefined {
  const where = rule.where ? scope.attemptNow(rule.where) : ({ known: true, value: true } as const);
  if (!where) return undefined;
  if (where.known && where.value !== true) return { is: 'nothing' };
  const problem = where.known ? scope.attemptNow(rule.problemWhen) : where;
  if (!problem) return undefined;
  const subject = subjectNow(rule, scope);
  if (subject !== null) return judged(problem, subject);
  // What is well needs no name for which evidence would have to be read.
  return problem.known && problem.value !== true ? { is: 'healthy', subject: NAMELESS } : undefined;
}

const NAMELESS: Subject = { kind: '', namespace: '', name: '' };

function judged(problem: Attempt, subject: Subject | undefined): Judgement {
  if (!problem.known) return { is: 'unknown', subject, gaps: problem.gaps };
  if (problem.value === true) return { is: 'problem', subject };
  return subject ? { is: 'healthy', subject } : { is: 'nothing' };
}

/** A problem is never lost for want of a name: what it is about is then said as not known. */
async function describe(rule: Rule, scope: RuleScope, subject: Subject | undefined): Promise<RowVerdict> {
  return { is: 'problem', finding: await toFinding(rule, scope, subject ?? (await namelessSubject(rule, scope))) };
}

/** Null where evidence has to be collected first. */
function subjectNow(rule: Rule, scope: RuleScope): Subject | undefined | null {
  const kind = scope.exactNow(rule.subject.kind);
  const namespace = scope.exactNow(rule.subject.namespace);
  const name = scope.exactNow(rule.subject.name);
  if (kind === null || namespace === null || name === null) return null;
  return kind === undefined || namespace === undefined || !name ? undefined : { kind, namespace, name };
}

async function subjectOf(rule: Rule, scope: RuleScope): Promise<Subject | undefined> {
  const kind = await scope.exact(rule.subject.kind);
  const namespace = await scope.exact(rule.subject.namespace);
  const name = await scope.exact(rule.subject.name);
  return kind === undefined || namespace === undefined || !name ? undefined : { kind, namespace, name };
}

async function namelessSubject(rule: Rule, scope: RuleScope): Promise<Subject> {
  return {
    kind: await scope.fill(rule.subject.kind),
    namespace: await scope.fill(rule.subject.namespace),
    name: (await scope.fill(rule.subject.name)) || NOT_KNOWN,
  };
}

async function toFinding(rule: Rule, scope: RuleScope, subject: Subject): Promise<Finding> {
  const { cluster } = scope;
  const facts: Record<string, FactValue> = {};
  for (const { label, value } of rule.show) {
    const shown = await scope.attempt(value);
    const fact = shown.known ? toFact(shown.value) : undefined;
    if (fact !== undefined) facts[label] = fact;
  }
  const since = rule.since ? await scope.attempt(rule.since) : undefined;
  const involves = new Set([qualify(subjectKey(subject), cluster)]);
  for (const expression of rule.involves) {
    const keys = await scope.attempt(expression);
    if (keys.known) for (const key of flatTexts(keys.value)) involves.add(qualify(key, cluster));
  }
  const message = await scope.fill(rule.message);
  const atRisk = rule.atRisk ? ((await scope.exact(rule.atRisk)) ?? '') : '';
  const byHand = (await scope.fill(rule.fix.byHand)).trim();
  const action = await automaticFix(rule, scope);
  const quotes = await quotesOf(rule, scope);
  return {
    id: [rule.id, cluster, subject.kind, subject.namespace, subject.name].join('/'),
    rule: rule.id,
    title: rule.title,
    severity: rule.severity,
    cluster,
    subject,
    message,
    since: since?.known && typeof since.value === 'string' ? since.value : '',
    facts,
    evidence: [...quotes, ...placesOf(scope)],
    root: false,
    causedBy: [],
    atRisk,
    fix: { byHand, automatic: action?.id ?? '', ...(action ? { action } : {}) },
    involves: [...involves],
  };
}

/** The first action of which all conditions and parameters are known and hold; undefined where there is none. */
async function automaticFix(rule: Rule, scope: RuleScope): Promise<FindingAction | undefined> {
  for (const automatic of rule.fix.automatic) {
    const action = await offeredAction(automatic, scope);
    if (action) return action;
  }
  return undefined;
}

async function offeredAction(automatic: AutomaticFix, scope: RuleScope): Promise<FindingAction | undefined> {
  for (const { value } of automatic.onlyIf) {
    const holds = await scope.attempt(value);
    if (!holds.known || holds.value !== true) return undefined;
  }
  const parameters: Record<string, string> = {};
  for (const [name, template] of Object.entries(automatic.with)) {
    const value = await scope.exact(template);
    if (value === undefined) return undefined;
    parameters[name] = value;
  }
  const onlyIf = automatic.onlyIf.map(({ label }) => ({ label, holds: true }));
  return { id: automatic.action, with: parameters, risk: automatic.risk, onlyIf };
}

/** Log lines that the rule decided by: hits that it names, and those that `quote` gives. */
async function quotesOf(rule: Rule, scope: RuleScope): Promise<readonly EvidenceItem[]> {
  const items: EvidenceItem[] = [];
  const quoted = rule.quote ? await scope.attempt(rule.quote) : undefined;
  const named = quoted?.known ? (quoted.value as readonly unknown[]) : hitsNamed(scope);
  for (const hit of named) {
    const item = readable(() => quoteOf(hit as Hit));
    if (item && !items.some(other => other.line === item.line && other.pod === item.pod)) items.push(item);
    if (items.length === QUOTES) break;
  }
  return items;
}

interface Hit {
  readonly sample: string;
  readonly last: string;
  readonly count: number;
  readonly containerKey?: string;
  readonly pod?: { readonly namespace: string; readonly name: string };
  readonly container?: string;
}

function quoteOf(hit: Hit): EvidenceItem {
  const [, place = ''] = (hit.containerKey ?? '').split(' ');
  const [namespace = '', pod = '', container = ''] = hit.pod
    ? [hit.pod.namespace, hit.pod.name, hit.container]
    : place.split('/');
  return {
    evidence: 'logs.signatures',
    from: `logs/${namespace}/${pod}/${container}`,
    time: hit.last,
    pod,
    container,
    line: hit.sample,
    count: hit.count,
  };
}

/** Hits of the logs that this row read, whose signature the rule names. */
function hitsNamed(scope: RuleScope): readonly Hit[] {
  const names = scope.quotesSignatures;
  const hits: Hit[] = [];
  for (const [key, evidence] of scope.read) {
    if (!key.startsWith('logs.signatures ') || !evidence.known) continue;
    const log = evidence.value as {
      pod: { namespace: string; name: string };
      container: string;
      hits: readonly (Hit & { id: string })[];
    };
    for (const hit of log.hits) {
      const id = readable(() => hit.id);
      if (id !== undefined && names.has(id)) hits.push({ ...hit, pod: log.pod, container: log.container });
    }
  }
  return hits;
}

function placesOf(scope: RuleScope): readonly EvidenceItem[] {
  const items: EvidenceItem[] = [];
  for (const [key, evidence] of scope.read) {
    if (!evidence.known) continue;
    const [id = ''] = key.split(' ');
    for (const from of [...evidence.from].sort().slice(0, PLACES_PER_EVIDENCE)) {
      if (items.some(item => item.evidence === id && item.from === from)) continue;
      items.push({ evidence: id, from, time: '', pod: '', container: '', line: '', count: 0 });
    }
  }
  return items;
}

/** Text literals in a rule's conditions: the signatures that it names are among them. */
const literals = new WeakMap<Rule, ReadonlySet<string>>();

function literalsOf(rule: Rule): ReadonlySet<string> {
  let found = literals.get(rule);
  if (!found) {
    const texts = [rule.problemWhen, ...(rule.where ? [rule.where] : []), ...rule.let.map(({ value }) => value)].map(
      ({ text }) => text,
    );
    found = new Set(texts.flatMap(text => [...text.matchAll(/["']([a-z0-9-]+)["']/g)].map(match => match[1]!)));
    literals.set(rule, found);
  }
  return found;
}

function readable<Value>(read: () => Value): Value | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof GapSignal) return undefined;
    throw error;
  }
}

const NOT_KNOWN = '(not known)';

/** A value as a fact; empty texts, empty lists and -1 (no age) say nothing and are left out. */
function toFact(value: unknown): FactValue | undefined {
  if (value === '' || value === null || value === undefined || value === -1) return undefined;
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return value;
  if (Array.isArray(value)) {
    const facts = value.map(element => readable(() => toFact(element))).filter(fact => fact !== undefined);
    if (facts.length > 0 && firstGap(value)) facts.push(NOT_KNOWN);
    return facts.length === 0 ? undefined : facts;
  }
  if (typeof value !== 'object') return String(value);
  const reference = value as { key?: unknown };
  const key = readable(() => reference.key);
  if (typeof key === 'string') return key === '' ? undefined : key;
  const entries = Object.keys(value).flatMap(name => {
    const fact = readable(() => toFact((value as Readonly<Record<string, unknown>>)[name]));
    return fact === undefined ? [] : [[name, fact] as const];
  });
  return entries.length === 0 ? undefined : Object.fromEntries(entries);
}

/** A list of which a part is not known is no name, and nothing that could be asked or done. */
function exactText(value: unknown): string {
  if (typeof value === 'string') return value;
  const gap = Array.isArray(value) ? firstGap(value) : undefined;
  if (gap) throw new GapSignal(gap);
  return inProse(value);
}

function isPartlyUnknown(value: unknown): boolean {
  return Array.isArray(value) && firstGap(value) !== undefined;
}

function inProse(value: unknown): string {
  const fact = readable(() => toFact(value));
  if (fact === undefined) return value === -1 ? '-1' : '';
  if (Array.isArray(fact)) return fact.map(element => inProse(element)).join(', ');
  if (typeof fact === 'object')
    return Object.entries(fact)
      .map(([name, entry]) => `${name}=${inProse(entry)}`)
      .join(', ');
  return String(fact);
}

function flatTexts(value: unknown): readonly string[] {
  if (typeof value === 'string') return value === '' ? [] : [value];
  if (!Array.isArray(value)) return [];
  return value.flatMap(element => readable(() => flatTexts(element)) ?? []);
}

function unknown(rule: Rule, cluster: string, subject: Subject | undefined, gaps: readonly [Gap, ...Gap[]]): Verdict {
  const about: Unknown = { rule: rule.id, cluster, ...(subject ? { subject } : {}), gaps };
  return { is: 'unknown', unknown: about };
}

function distinctGaps(gaps: readonly Gap[]): readonly [Gap, ...Gap[]] {
  const seen = new Map<string, Gap>();
  for (const gap of gaps) seen.set(`${gap.evidence} ${gap.reason} ${gap.detail} ${gap.path}`, gap);
  const all = [...seen.values()];
  const first = all[0] ?? {
    evidence: '',
    reason: 'rule-error' as const,
    detail: 'no gap was named',
    path: '',
    notLookedAt: false,
  };
  return [first, ...all.slice(1)];
}

/** One verdict per subject: a problem beats unknown beats healthy. */
function merge(rule: Rule, cluster: string, rows: readonly RowVerdict[]): readonly Verdict[] {
  const subjects = new Map<string, RowVerdict[]>();
  for (const row of rows) {
    if (row.is === 'nothing') continue;
    const subject = row.is === 'problem' ? row.finding.subject : row.subject;
    const key = subject ? subjectKey(subject) : '';
    const group = subjects.get(key);
    if (group) group.push(row);
    else subjects.set(key, [row]);
  }
  return [...subjects.values()].map(group => {
    const problems = group.filter(row => row.is === 'problem');
    if (problems.length > 0) return { is: 'problem', finding: mergeFindings(problems.map(row => row.finding)) };
    const gaps = group.filter(row => row.is === 'unknown');
    if (gaps.length > 0) return unknown(rule, cluster, gaps[0]!.subject, distinctGaps(gaps.flatMap(row => row.gaps)));
    const healthy = group[0] as Extract<RowVerdict, { is: 'healthy' }>;
    return { is: 'healthy', rule: rule.id, cluster, subject: healthy.subject };
  });
}

function mergeFindings(findings: readonly Finding[]): Finding {
  const first = findings[0]!;
  if (findings.length === 1) return first;
  const facts: Record<string, FactValue> = {};
  for (const label of new Set(findings.flatMap(finding => Object.keys(finding.facts)))) {
    const values = findings.flatMap(finding => {
      const fact = finding.facts[label];
      return fact === undefined ? [] : Array.isArray(fact) ? fact : [fact];
    });
    const distinct = [...new Map(values.map(value => [JSON.stringify(value), value])).values()];
    const alwaysList = findings.some(finding => Array.isArray(finding.facts[label]));
    facts[label] = distinct.length === 1 && !alwaysList ? distinct[0]! : distinct;
  }
  const evidence = new Map(findings.flatMap(finding => finding.evidence).map(item => [JSON.stringify(item), item]));
  const quotes = [...evidence.values()].filter(item => item.line !== '').slice(0, QUOTES);
  const places = [...evidence.values()].filter(item => item.line === '');
  const sinces = findings
    .map(finding => finding.since)
    .filter(Boolean)
    .sort();
  return {
    ...first,
    facts,
    since: sinces[0] ?? '',
    evidence: [...quotes, ...places],
    involves: [...new Set(findings.flatMap(finding => finding.involves))],
    fix: mergeFixes(findings),
  };
}

/** One action for all rows, or none. Parameters that differ are joined by commas: the action knows whether it can take several. */
function mergeFixes(findings: readonly Finding[]): Finding['fix'] {
  const { byHand, automatic, action } = findings[0]!.fix;
  if (!findings.every(({ fix }) => fix.automatic === automatic)) return { byHand, automatic: '' };
  if (!action) return { byHand, automatic };
  const names = Object.keys(action.with);
  const joined = (name: string) => [...new Set(findings.map(({ fix }) => fix.action?.with[name] ?? ''))].join(',');
  return {
    byHand,
    automatic,
    action: { ...action, with: Object.fromEntries(names.map(name => [name, joined(name)])) },
  };
}
