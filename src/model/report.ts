import type { Finding, Severity, Suspect, Unknown } from './finding.ts';
import type { Gap } from './gap.ts';
import type { FixReport } from './remediation.ts';

export interface ClusterReport {
  readonly name: string;
  readonly role: 'hub' | 'edge' | '';
  readonly reachable: boolean;
  /** Why it is not reachable; '' if it is. */
  readonly problem: string;
  readonly context: string;
  readonly apiServer: string;
  readonly takenAt: string;
  readonly versions: {
    readonly kubernetes: string;
    readonly prometheus: readonly string[];
    readonly thanos: readonly string[];
  };
  /** What the reader was not allowed to read, e.g. `get pods/log in monitoring`. */
  readonly deniedAccess: readonly string[];
  /** How components' HTTP was reached: `pod proxy`, `port-forward`, …; and that a Secret was read. */
  readonly ways: readonly string[];
}

export interface TimelineEntry {
  /** RFC 3339, UTC. */
  readonly time: string;
  readonly cluster: string;
  /** `Kind namespace/name`. */
  readonly object: string;
  readonly what: string;
  /** `event`, `restart`, `log`, `condition`, `finding`. */
  readonly source: string;
}

export interface Report {
  readonly schemaVersion: 1;
  readonly verdict: 'problems' | 'healthy' | 'unknown';
  /** RFC 3339: when the evidence was taken. */
  readonly takenAt: string;
  /** Name of the fleet, or '' . */
  readonly fleet: string;
  readonly clusters: readonly ClusterReport[];
  readonly findings: readonly Finding[];
  /** Ids of the root findings, most important first. */
  readonly roots: readonly string[];
  readonly unknowns: readonly Unknown[];
  /** What nobody asked for, or what a bundle does not hold: each once. */
  readonly notLookedAt: readonly { readonly cluster: string; readonly gap: Gap; readonly rules: readonly string[] }[];
  readonly suspects: readonly Suspect[];
  readonly timeline: readonly TimelineEntry[];
  /** Findings that the fleet file silences, and its suppressions that have expired. */
  readonly suppressed: readonly {
    /** Id of the finding; '' of an expired suppression. */
    readonly finding: string;
    readonly rule: string;
    /** Of an expired suppression, what it names; '' for all. The same holds for the subject. */
    readonly cluster: string;
    /** `Kind namespace/name` */
    readonly subject: string;
    readonly severity: Severity;
    /** What was found; '' of an expired suppression. */
    readonly message: string;
    readonly reason: string;
    readonly until: string;
    readonly expired: boolean;
    /** Id of the suppressed finding that explains this one; '' where it is suppressed itself. */
    readonly through: string;
  }[];
  /** What the fleet file changes of the rules: a threshold by its name, or `severity`. Left out where it changes nothing. */
  readonly tuned?: readonly {
    readonly rule: string;
    readonly what: string;
    readonly from: string;
    readonly to: string;
  }[];
  readonly counts: {
    readonly rules: number;
    readonly checks: number;
    readonly subjects: number;
    readonly unknown: number;
  };
  /** What was fixed, or was to be; left out where nothing was. */
  readonly fixes?: readonly FixReport[];
  /** Everything that differs from run to run. */
  readonly run: {
    readonly version: string;
    readonly command: string;
    readonly seconds: number;
    readonly requests: number;
    readonly bytes: number;
    readonly partial: boolean;
    readonly clusters: readonly {
      readonly name: string;
      readonly seconds: number;
      readonly requests: number;
      readonly bytes: number;
    }[];
  };
}

/** A report format: pure, no console, no clock. */
export type Format = (report: Report, options: FormatOptions) => string;

export interface FormatOptions {
  /** Columns; text only. */
  readonly width: number;
  readonly color: boolean;
  readonly unicode: boolean;
  /** Show every finding. */
  readonly all: boolean;
  /** IANA name of the zone that times are shown in; `UTC` in files. */
  readonly timeZone: string;
  /** True where it is written to a terminal: times are then local. */
  readonly terminal: boolean;
}
