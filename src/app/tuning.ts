import type { OpenDocument, RuleMistake } from '../checks/rule-file.ts';
import type { Suppression } from '../checks/silence.ts';
import { parseThreshold, UNIT_EXAMPLES } from '../checks/thresholds.ts';
import { suggest } from '../checks/type-check.ts';
import type { Severity } from '../model/finding.ts';
import type { Report } from '../model/report.ts';
import type { Rule, Threshold } from '../model/rule.ts';

const NAME = { type: 'string', minLength: 1 } as const;
const DAY = 86_400_000;

export const TUNING_SCHEMA = {
  type: 'object',
  additionalProperties: false,
  properties: {
    thresholds: {
      type: 'object',
      additionalProperties: { type: 'object', additionalProperties: { type: ['string', 'number'] } },
    },
    severity: { type: 'object', additionalProperties: { enum: ['critical', 'warning', 'info'] } },
    suppress: {
      type: 'array',
      items: {
        type: 'object',
        additionalProperties: false,
        required: ['rule', 'reason', 'until'],
        properties: { rule: NAME, cluster: NAME, subject: NAME, reason: NAME, until: NAME },
      },
    },
  },
} as const;

export interface WrittenTuning {
  readonly thresholds?: Readonly<Record<string, Readonly<Record<string, string | number>>>>;
  readonly severity?: Readonly<Record<string, Severity>>;
  readonly suppress?: readonly {
    readonly rule: string;
    readonly cluster?: string;
    readonly subject?: string;
    readonly reason: string;
    readonly until: string;
  }[];
}

/** What a fleet file changes of the rules, and where it says so. Whether the rules have it is not checked yet. */
export interface Tuning {
  readonly written: WrittenTuning;
  /** Names that a suppression may give for a cluster. */
  readonly clusters: readonly string[];
  place(path: readonly (string | number)[], key?: string): Omit<RuleMistake, 'message'>;
}

export function readTuning(document: OpenDocument, written: WrittenTuning, clusters: readonly string[]): Tuning {
  return {
    written,
    clusters: [...clusters, 'fleet'],
    place(path, key) {
      const whole = ['tuning', ...path];
      return { file: document.path, ...(key === undefined ? document.locate(whole) : document.locateKey(whole, key)) };
    },
  };
}

/** What can be held against the rules of a tuning that the schema has something against. */
export function soundTuning(
  value: unknown,
  mistakes: readonly { readonly path: readonly (string | number)[] }[],
): WrittenTuning {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return {};
  // biome-ignore lint/suspicious/noExplicitAny: what the schema has nothing against is a tuning
  const sound: any = structuredClone(value);
  for (const { path } of mistakes) {
    const [place, section = '', key, name] = path;
    if (place !== 'tuning' || section === '') continue;
    // A suppression that is left out leaves a hole: the others keep their numbers, by which they are located.
    if (key === undefined) delete sound[section];
    else if (section === 'thresholds' && name !== undefined) delete sound[section]?.[key]?.[name];
    else delete sound[section]?.[key];
  }
  return sound;
}

/** Rules with the thresholds and severities of a fleet file, and what it suppresses. */
export interface Tuned {
  readonly rules: readonly Rule[];
  readonly suppressions: readonly Suppression[];
  readonly changes: NonNullable<Report['tuned']>;
}

/** Applies a fleet file's tuning to the rules. What it names and they do not have is returned as mistakes, all at once. */
export function tuneRules(
  rules: readonly Rule[],
  tuning: Tuning,
): { readonly tuned: Tuned; readonly mistakes: readonly RuleMistake[] } {
  const mistakes: RuleMistake[] = [];
  const changes: NonNullable<Report['tuned']>[number][] = [];
  const byId = new Map(rules.map(rule => [rule.id, rule]));
  const change = (rule: Rule, what: string, from: string, to: string) => {
    if (from !== to) changes.push({ rule: rule.id, what, from, to });
  };
  const ruleNamed = (id: string, at: Omit<RuleMistake, 'message'>) => {
    const rule = byId.get(id);
    if (!rule) mistakes.push({ ...at, message: `there is no rule ${id}${suggest(id, [...byId.keys()])}` });
    return rule;
  };

  for (const [id, values] of Object.entries(tuning.written.thresholds ?? {})) {
    const rule = ruleNamed(id, tuning.place(['thresholds'], id));
    if (!rule) continue;
    const thresholds = rule.thresholds.map(threshold => {
      const text = values[threshold.name];
      const set = text === undefined ? threshold : thresholdOf(text, threshold);
      if (typeof set !== 'string') {
        change(rule, threshold.name, threshold.text, set.text);
        return set;
      }
      const at = tuning.place(['thresholds', id, threshold.name]);
      mistakes.push({ ...at, message: `${threshold.name} of ${id} is ${set}, not "${text}"` });
      return threshold;
    });
    const names = rule.thresholds.map(({ name }) => name);
    for (const name of Object.keys(values).filter(key => !names.includes(key))) {
      const known = names.length === 0 ? 'it has none' : suggest(name, names) || `it has ${names.join(', ')}`;
      const message = `${id} has no threshold "${name}"; ${known.replace(/^; /, '')}`;
      mistakes.push({ ...tuning.place(['thresholds', id], name), message });
    }
    byId.set(id, { ...rule, thresholds });
  }

  for (const [id, severity] of Object.entries(tuning.written.severity ?? {})) {
    const rule = ruleNamed(id, tuning.place(['severity'], id));
    if (!rule) continue;
    if (rule.severity === 'critical' && severity === 'info') {
      // Nobody would hear of it any more, and nothing would say when that ends.
      const message = `${id} is critical, and cannot become info: suppress it, with a reason and an end`;
      mistakes.push({ ...tuning.place(['severity', id]), message });
      continue;
    }
    change(rule, 'severity', rule.severity, severity);
    byId.set(id, { ...rule, severity });
  }

  const suppressions = (tuning.written.suppress ?? []).flatMap((written, index) => {
    const at = (key: string) => tuning.place(['suppress', index, key]);
    const { rule: id, cluster = '', subject = '', reason, until } = written;
    const rule = ruleNamed(id, at('rule'));
    const complain = (key: string, message: string) => mistakes.push({ ...at(key), message });
    if (cluster !== '' && !tuning.clusters.includes(cluster))
      complain('cluster', `there is no cluster ${cluster}${suggest(cluster, tuning.clusters)}`);
    else if (rule?.scope === 'fleet' && cluster !== '' && cluster !== 'fleet')
      complain('cluster', `${id} judges the fleet as a whole: leave the cluster out`);
    const kind = literalKind(rule);
    if (subject !== '' && !/^[A-Z*]\S* \S/.test(subject))
      complain(
        'subject',
        'a subject is written as "Kind namespace/name", or "Kind name" for a kind without namespaces',
      );
    else if (subject !== '' && kind !== '' && !subject.startsWith('*') && subject.split(' ')[0] !== kind)
      complain('subject', `findings of ${id} are about a ${kind}, not a ${subject.split(' ')[0]}`);
    if (reason.trim() === '') complain('reason', 'a suppression needs a reason');
    const endsAt = endOf(until);
    if (endsAt === undefined) complain('until', `"${until}" is no day: write 2027-01-31, or 2027-01-31T12:00:00Z`);
    const { file, line, column } = tuning.place(['suppress', index]);
    const place = `${file}:${line}:${column}`;
    return endsAt === undefined ? [] : [{ rule: id, cluster, subject, reason, until, endsAt, place }];
  });
  return { tuned: { rules: rules.map(({ id }) => byId.get(id)!), suppressions, changes }, mistakes };
}

/** The threshold with another value, or what its value has to be. */
function thresholdOf(written: string | number, threshold: Threshold): Threshold | string {
  const measure = parseThreshold(written);
  return measure?.unit === threshold.unit ? { ...threshold, ...measure } : UNIT_EXAMPLES[threshold.unit];
}

/** The kind of a rule's subjects, where the rule names it; '' where that depends on what it reads. */
function literalKind(rule: Rule | undefined): string {
  const parts = rule?.subject.kind.parts ?? [];
  return parts.every(part => typeof part === 'string') ? parts.join('') : '';
}

/** A day counts whole, in UTC. */
function endOf(until: string): number | undefined {
  const time = Date.parse(until);
  if (Number.isNaN(time) || !/^[0-9]{4}-[0-9]{2}-[0-9]{2}(T.*(Z|[+-][0-9]{2}:[0-9]{2}))?$/.test(until))
    return undefined;
  if (until.length > 10) return time;
  // The engine takes February 31 for March 3.
  return new Date(time).toISOString().startsWith(until) ? time + DAY : undefined;
}
