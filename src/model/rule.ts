import type { Severity } from './finding.ts';

/** A CEL expression with its place in the file, for messages. */
export interface Expression {
  readonly text: string;
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** Prose with `${expression}` in it. */
export interface Template {
  readonly parts: readonly (string | Expression)[];
  readonly file: string;
  readonly line: number;
}

/** One thing that a rule reads: a collector, and its parameters as templates. */
export interface EvidenceUse {
  readonly from: string;
  readonly with: Readonly<Record<string, Template>>;
}

/**
 * One possible cause. It holds between two findings when they have an object in common of one of the kinds in `shares`
 * (`Workload` stands for Deployment, StatefulSet, DaemonSet, ReplicaSet, Job and CronJob) and `when` is true of them.
 */
export interface CauseLink {
  readonly rule: string;
  readonly shares: readonly string[];
  readonly when?: Expression;
}

/** A number that a fleet file may set otherwise, in the rule's expressions `thresholds.name`. */
export interface Threshold {
  readonly name: string;
  /** As it is written, with its unit: `10min`, `80%`, `1GiB`, `3`. */
  readonly text: string;
  readonly unit: 'duration' | 'percentage' | 'size' | 'count';
  /** Seconds, percent, bytes, or the number itself. */
  readonly value: number;
}

export interface Rule {
  readonly id: string;
  readonly file: string;
  /** Folder under `rules/`, e.g. `kubernetes`. */
  readonly folder: string;
  readonly title: string;
  readonly severity: Severity;
  readonly scope: 'cluster' | 'fleet';
  readonly tags: readonly string[];
  /** Anchor of the operators' guide; '' if none. */
  readonly guide: string;
  readonly symptom: string;
  readonly thresholds: readonly Threshold[];
  readonly evidence: Readonly<Record<string, EvidenceUse>>;
  /** `name in expression`; absent for a rule with a single subject. */
  readonly forEach?: { readonly name: string; readonly over: Expression };
  readonly let: readonly { readonly name: string; readonly value: Expression }[];
  readonly where?: Expression;
  /** The comment above `problemWhen`: why the obvious condition would be wrong; '' if there is none. */
  readonly why: string;
  readonly problemWhen: Expression;
  readonly subject: { readonly kind: Template; readonly namespace: Template; readonly name: Template };
  readonly since?: Expression;
  readonly message: Template;
  readonly show: readonly { readonly label: string; readonly value: Expression }[];
  readonly quote?: Expression;
  readonly involves: readonly Expression[];
  readonly causedBy: readonly CauseLink[];
  readonly atRisk?: Template;
  readonly fix: {
    readonly byHand: Template;
    /** The first whose conditions hold is offered. */
    readonly automatic: readonly AutomaticFix[];
  };
}

/** How a rule says what an action is to do. */
export interface AutomaticFix {
  readonly action: string;
  readonly with: Readonly<Record<string, Template>>;
  readonly onlyIf: readonly { readonly label: string; readonly value: Expression }[];
  readonly risk: string;
}

/** A log line that means something; searched in the logs of `components` (`any` = all). */
export interface Signature {
  readonly id: string;
  readonly file: string;
  readonly means: string;
  readonly components: readonly string[];
  readonly level: 'debug' | 'info' | 'warn' | 'error' | '';
  readonly marker: boolean;
  readonly atLeast: number;
  readonly match: {
    readonly all: readonly string[];
    readonly any: readonly string[];
    readonly not: readonly string[];
    readonly regex: string;
  };
  /** Signature ids, `restart`, `quiet:3m`, or `quiet:3m@component`. */
  readonly healedBy: readonly string[];
  readonly captures: Readonly<Record<string, string>>;
  readonly rules: readonly string[];
  readonly examples: { readonly problem: readonly string[]; readonly benign: readonly string[] };
}
