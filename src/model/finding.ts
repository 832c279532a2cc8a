import type { Gap } from './gap.ts';

export type Severity = 'critical' | 'warning' | 'info';

/** The one thing that a verdict is about. `namespace` is '' for things without one. */
export interface Subject {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}

/** Where a fact came from. `line` is a log line as it was written, cleaned of control characters and secrets. */
export interface EvidenceItem {
  /** Collector id. */
  readonly evidence: string;
  /** API path, `logs/namespace/pod/container`, URL path or `probe host:port`. */
  readonly from: string;
  readonly time: string;
  readonly pod: string;
  readonly container: string;
  readonly line: string;
  /** How often the line was seen; 0 where it is no log line. */
  readonly count: number;
}

export type FactValue = string | number | boolean | readonly FactValue[] | { readonly [key: string]: FactValue };

export interface Finding {
  /** `rule/cluster/Kind/namespace/name`: the same in every run. */
  readonly id: string;
  readonly rule: string;
  readonly title: string;
  readonly severity: Severity;
  /** Name of the cluster, or `fleet`. */
  readonly cluster: string;
  readonly subject: Subject;
  readonly message: string;
  /** RFC 3339, or '' where it is not known. */
  readonly since: string;
  readonly facts: Readonly<Record<string, FactValue>>;
  readonly evidence: readonly EvidenceItem[];
  readonly root: boolean;
  /** Ids of findings that explain this one, nearest first. */
  readonly causedBy: readonly string[];
  /** What is lost if nothing is done; '' if nothing is known. */
  readonly atRisk: string;
  readonly fix: {
    readonly byHand: string;
    readonly automatic: string;
    /** The action named by `automatic`, with what it acts on; left out where there is none. */
    readonly action?: FindingAction;
  };
  /** Object keys by which causes are linked (`Kind namespace/name @cluster`). */
  readonly involves: readonly string[];
}

/** How a finding can be fixed by the program: an action, its parameters, and the conditions that hold. */
export interface FindingAction {
  readonly id: string;
  readonly with: Readonly<Record<string, string>>;
  readonly risk: string;
  readonly onlyIf: readonly { readonly label: string; readonly holds: boolean }[];
}

export interface Unknown {
  readonly rule: string;
  readonly cluster: string;
  readonly subject?: Subject;
  readonly gaps: readonly [Gap, ...Gap[]];
}

export type Verdict =
  | { readonly is: 'problem'; readonly finding: Finding }
  | { readonly is: 'healthy'; readonly rule: string; readonly cluster: string; readonly subject: Subject }
  | { readonly is: 'unknown'; readonly unknown: Unknown };

/** A cause that could not be checked. */
export interface Suspect {
  /** Id of the finding that it would explain. */
  readonly finding: string;
  readonly rule: string;
  readonly cluster: string;
  readonly gaps: readonly Gap[];
}
