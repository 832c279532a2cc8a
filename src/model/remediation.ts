import type { Access, EvidenceStore } from './evidence.ts';
import type { Finding } from './finding.ts';
import type { RawObject } from './source.ts';

/**
 * `restart`: pods stop and start, nothing else changes. `change`: a configuration changes and can be changed back.
 * `data-loss`: samples or blocks could be lost, or it cannot be taken back.
 */
export type Risk = 'restart' | 'change' | 'data-loss';

export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

/** One object of an API server. Its version is found by discovery. */
export interface Target {
  readonly group: string;
  readonly resource: string;
  readonly kind: string;
  /** '' for kinds without one. */
  readonly namespace: string;
  readonly name: string;
  readonly subresource?: 'scale';
}

/** One field: what it is, and what it is to be. A value that is left out is an absent field. */
export interface Change {
  readonly path: readonly (string | number)[];
  readonly before?: Json;
  readonly after?: Json;
}

/** Scalars of a YAML text in a Secret or ConfigMap, named by their paths. No credential is ever among them. */
export interface TextEdit {
  readonly key: string;
  readonly lines: readonly TextLine[];
}

/** One scalar as it is written, and as it is to be. Left out: there is none. */
export interface TextLine {
  readonly path: readonly string[];
  readonly before?: string;
  readonly after?: string;
  /** A new line goes after the line of this name. */
  readonly besides: string;
}

/** What a step waits for. */
export type Until =
  /** A workload has replaced all of its pods, and all are ready. */
  | { readonly is: 'rolled-out' }
  | { readonly is: 'equals'; readonly path: readonly (string | number)[]; readonly value: Json }
  /** A quantity has grown to this. */
  | { readonly is: 'at-least'; readonly path: readonly (string | number)[]; readonly quantity: string }
  /** An object of that name with another uid is ready. */
  | { readonly is: 'replaced'; readonly uid: string }
  | { readonly is: 'gone' };

interface OnObject {
  /** What a person reads: `restart StatefulSet monitoring/store`. */
  readonly title: string;
  readonly target: Target;
}

/** One step of a plan, as data. Repeating one that is done changes nothing. */
export type Step =
  | (OnObject & { readonly do: 'change'; readonly uid: string; readonly changes: readonly Change[] })
  /** Replaces the pods of a workload, as `kubectl rollout restart` does. */
  | (OnObject & { readonly do: 'restart'; readonly uid: string })
  | (OnObject & { readonly do: 'edit-text'; readonly uid: string; readonly edit: TextEdit })
  /** Copies a Secret beside itself, so that a change of it can be taken back. */
  | (OnObject & { readonly do: 'back-up'; readonly uid: string; readonly backup: Target })
  /** Puts one key back as it is in the backup, unless somebody else has changed it meanwhile. */
  | (OnObject & { readonly do: 'restore'; readonly uid: string; readonly backup: Target; readonly edit: TextEdit })
  | (OnObject & { readonly do: 'create'; readonly object: RawObject })
  /** Deletes an object that a plan has created: told by its mark. */
  | (OnObject & { readonly do: 'delete-created'; readonly plan: string })
  | (OnObject & { readonly do: 'delete'; readonly uid: string; readonly orphan: boolean })
  | (OnObject & { readonly do: 'evict'; readonly uid: string })
  | (OnObject & {
      readonly do: 'wait';
      readonly until: Until;
      readonly seconds: number;
      /** Everything is taken back at once where it does not come about: it is the proof that the rest is right. */
      readonly proves?: boolean;
    })
  | (OnObject & { readonly do: 'create-bucket'; readonly store: StoreKey })
  | (OnObject & { readonly do: 'delete-empty-bucket'; readonly store: StoreKey })
  | (OnObject & { readonly do: 'put-mark'; readonly store: StoreKey; readonly key: string; readonly body: string })
  | (OnObject & { readonly do: 'delete-mark'; readonly store: StoreKey; readonly key: string; readonly body: string });

/** Where the object storage configuration stands whose credentials are used. */
export interface StoreKey {
  readonly secret: Target;
  readonly key: string;
}

/** A precondition with its answer. One that could not be evaluated refuses exactly like one that failed. */
export interface Guard {
  readonly id: string;
  /** What holds if it passes: `you may patch this Secret`. */
  readonly what: string;
  readonly result: 'passed' | 'failed' | 'unknown';
  /** Why it did not pass, or '' . */
  readonly detail: string;
}

/** An object that a plan writes, as it was when the plan was made. */
export interface PlannedObject {
  readonly target: Target;
  readonly uid: string;
  readonly resourceVersion: string;
}

/** A patch for the repository that an object comes from. */
export interface RepositoryPatch {
  readonly file: string;
  readonly text: string;
  /** Who would undo a change that is not made there. */
  readonly why: string;
  /** What a JSON patch is for; a strategic merge patch names its object itself. Left out where it is only text. */
  readonly of?: {
    readonly group?: string;
    readonly kind: string;
    readonly name: string;
    readonly namespace: string;
  };
}

/** Everything that would be changed, decided before anything is. */
export interface Plan {
  readonly action: string;
  readonly title: string;
  /** Id of the finding; '' for a runbook. */
  readonly finding: string;
  readonly rule: string;
  readonly cluster: string;
  readonly risk: Risk;
  /** What the risk is, in words. */
  readonly riskText: string;
  readonly steps: readonly Step[];
  /** Lines `- old` and `+ new`, per step that changes something. */
  readonly diffs: readonly { readonly title: string; readonly lines: readonly string[] }[];
  readonly objects: readonly PlannedObject[];
  readonly guards: readonly Guard[];
  readonly verify: Verification;
  readonly undo: { readonly what: string; readonly steps: readonly Step[] };
  /** To be typed before it is applied; '' where a yes is enough. */
  readonly typed: string;
  /** What a person should know besides, one sentence each. */
  readonly notes: readonly string[];
  readonly patches: readonly RepositoryPatch[];
  /** sha256 over steps, objects, guards and finding: what was shown is what is applied. */
  readonly digest: string;
}

export type Outcome =
  | { readonly is: 'fixed'; readonly detail: string }
  | { readonly is: 'refused'; readonly guard: string; readonly detail: string }
  | { readonly is: 'declined'; readonly detail: string }
  | { readonly is: 'unverified'; readonly detail: string }
  | { readonly is: 'failed'; readonly detail: string };

/** What came of one fix; part of the report. */
export interface FixReport {
  /** Id for `fix --undo`; '' where nothing was begun. */
  readonly id: string;
  readonly finding: string;
  readonly rule: string;
  readonly cluster: string;
  readonly action: string;
  readonly digest: string;
  readonly outcome: Outcome['is'];
  readonly detail: string;
  /** Titles of the steps that were applied. */
  readonly applied: readonly string[];
  /** How it is taken back, or why it cannot be; '' where nothing was applied. */
  readonly undo: string;
}

/** What the writer's server said to a write. */
export type WriteAnswer =
  | { readonly is: 'done'; readonly object: RawObject }
  | { readonly is: 'not-found'; readonly message: string }
  /** Somebody was faster: another uid or resourceVersion, a failed `test`, or the name is taken. */
  | { readonly is: 'conflict'; readonly message: string }
  | { readonly is: 'refused'; readonly status: number; readonly message: string }
  /** Throttled, or the server failed: nothing is known to be applied. */
  | { readonly is: 'busy'; readonly status: number; readonly message: string; readonly retryAfter: number }
  /** The connection broke: it may be applied or not. */
  | { readonly is: 'unanswered'; readonly message: string };

export interface Permission {
  readonly verb: string;
  readonly target: Target;
  /** e.g. `eviction`. */
  readonly subresource?: string;
}

/** The way to look at single objects now. Each throws a `GapSignal` where no whole answer came. */
export interface ApiReader {
  readonly cluster: string;
  /** Undefined: the server says that there is none. */
  get(target: Target): Promise<RawObject | undefined>;
  /** `namespace` '' is all of them. */
  list(group: string, resource: string, namespace: string, labels?: string): Promise<readonly RawObject[]>;
  allowed(permission: Permission): Promise<boolean>;
  /** Who the server takes us for; '' where it does not say. */
  who(): Promise<string>;
  /** RFC 3339, by the server's clock. */
  now(): string;
  /** Whether an object of the bucket is there. */
  bucketHas(store: StoreKey, key: string): Promise<boolean>;
  bucketExists(store: StoreKey): Promise<boolean>;
  /** What a pod answers to GET through the API server's proxy. `scheme` '' is http. */
  podAnswer(place: PodPort, path: string): Promise<{ readonly status: number; readonly text: string }>;
}

/** A port of a pod. */
export interface PodPort {
  readonly namespace: string;
  readonly pod: string;
  readonly port: number;
  readonly scheme: '' | 'https';
}

/** The verbs by which a cluster can be changed. Every one has a dry run at the server, where the API has one. */
export interface Writer extends ApiReader {
  patch(target: Target, form: 'merge' | 'json', body: unknown, dryRun: boolean): Promise<WriteAnswer>;
  create(target: Target, object: RawObject, dryRun: boolean): Promise<WriteAnswer>;
  delete(
    target: Target,
    preconditions: { readonly uid: string; readonly resourceVersion?: string },
    orphan: boolean,
    dryRun: boolean,
  ): Promise<WriteAnswer>;
  evict(target: Target, uid: string, dryRun: boolean): Promise<WriteAnswer>;
  /** `put`: only where the object does not exist. */
  bucket(
    store: StoreKey,
    verb: 'put' | 'delete' | 'create-bucket' | 'delete-bucket',
    key: string,
    body: string,
  ): Promise<WriteAnswer>;
  close(): void;
}

/** One line of the audit log. No credential is in it: a changed text is named by its path. */
export type AuditEntry =
  | {
      readonly is: 'begin';
      readonly id: string;
      readonly mode: 'fix' | 'undo';
      /** The plan that this one takes back; ''. */
      readonly undoes: string;
      readonly plan: Plan;
      readonly who: string;
      readonly reason: string;
      /** RFC 3339: stands for the time in its steps. */
      readonly at: string;
    }
  | {
      readonly is: 'intent';
      readonly id: string;
      readonly step: number;
      readonly title: string;
      readonly uid: string;
      readonly before: Json;
    }
  | {
      readonly is: 'result';
      readonly id: string;
      readonly step: number;
      readonly title: string;
      readonly how: 'applied' | 'held already' | 'seen';
      readonly object: string;
      readonly after: Json;
    }
  | {
      readonly is: 'outcome';
      readonly id: string;
      readonly finding: string;
      readonly cluster: string;
      readonly action: string;
      readonly digest: string;
      readonly outcome: Outcome;
    };

/** An audit entry as it is kept: with its time and place. */
export type AuditLine = AuditEntry & { readonly time: string };

/** The append-only audit log. An entry is on the disk when `append` resolves. */
export interface Journal {
  /** Where it is kept, for people. */
  readonly place: string;
  append(entry: AuditEntry): Promise<void>;
  read(): Promise<readonly AuditLine[]>;
}

/** What the person asked for on the command line. */
export interface Wishes {
  readonly insist: boolean;
  /** e.g. `100Gi`; '' for the action's own choice. */
  readonly size: string;
  readonly maxMemory: string;
  readonly retention: string;
  /** `first-last`, for an address pool. */
  readonly range: string;
  readonly bucketWrites: boolean;
  /** Data of a Prometheus may be moved. */
  readonly dataSteps: boolean;
  /** Folder of this machine with a copy of the bucket; '' for none. */
  readonly copy: string;
  readonly downtime: boolean;
}

/** What the evidence of the fleet is of: what was not looked at is compared with nothing. */
export interface LookedAt {
  readonly clusters: readonly string[];
  /** Clusters that the fleet file names besides. */
  readonly leftOut: readonly string[];
  /** Whether a fleet file says which clusters there are. */
  readonly told: boolean;
  /** The only ones that were read; none for all. */
  readonly namespaces: readonly string[];
}

/** What an action decides on. */
export interface PlanInput {
  readonly finding: Finding;
  readonly parameters: Readonly<Record<string, string>>;
  readonly api: ApiReader;
  /** Fresh evidence of the finding's cluster. */
  readonly evidence: EvidenceStore;
  readonly fleet: EvidenceStore;
  readonly lookedAt: LookedAt;
  readonly wishes: Wishes;
  /** The audit log until now. */
  readonly history: readonly AuditLine[];
  /** What the person's own copy holds of a block; undefined where there is none. */
  copyOf(block: string): Promise<{ readonly files: number; readonly bytes: number } | undefined>;
  /** Keeps the logs of a pod's failing runs on this machine, before they go with the pod. False where that failed. */
  saveLogs(namespace: string, pod: string): Promise<boolean>;
}

/** What an action would do. */
export interface Draft {
  readonly steps: readonly Step[];
  readonly guards: readonly Guard[];
  readonly riskText: string;
  readonly verify: Verification;
  readonly undo: { readonly what: string; readonly steps: readonly Step[] };
  readonly typed?: string;
  readonly notes?: readonly string[];
  /** Objects that an operator writes and that are changed all the same, because this plan pauses it meanwhile. */
  readonly held?: readonly Target[];
  /** Workloads that may be in a rollout, or a Prometheus that may be starting: they are what is fixed. */
  readonly mends?: boolean;
}

/** How it is told that a finding is mended. */
export interface Verification {
  readonly what: string;
  readonly seconds: number;
  /** Rules that have to be healthy besides the finding's own. */
  readonly rules?: readonly string[];
  /** What has to be seen of the component itself: a rule that is silent proves less than work that is done. */
  readonly signals?: readonly Signal[];
  /** The finding's own rule may go on: this mends a part of it, and the signals tell whether that part is mended. */
  readonly inPart?: boolean;
}

/** A sign of life of a component. Counters are compared with what they were when the verification began. */
export type Signal =
  /** Each sidecar of these workloads goes through its uploads twice more, or uploads a block. */
  | { readonly is: 'uploads-go-on'; readonly workloads: readonly string[] }
  /** A Compactor is not halted, and gets through so many iterations more. */
  | { readonly is: 'compactor-goes-on'; readonly workload: string; readonly iterations: number }
  /** Every container of these workloads' pods has been ready for so long in one run; `container` '' is all of them. */
  | {
      readonly is: 'runs-for';
      readonly workloads: readonly string[];
      readonly container: string;
      readonly seconds: number;
    }
  /** The operator has brought about what the resource says now, and holds nothing back. */
  | { readonly is: 'prometheus-reconciled'; readonly prometheus: string }
  /** Each replica says that it is ready. */
  | { readonly is: 'prometheus-ready'; readonly prometheus: string }
  /** Each replica runs with this value of a flag; a quantity of time is compared as such. */
  | {
      readonly is: 'prometheus-flag';
      readonly prometheus: string;
      readonly flag: 'retention' | 'blockDurations';
      readonly seconds: number;
    }
  /** An evaluator has loaded these alerts of a PrometheusRule, and evaluates them without an error. `expr` '' is any. */
  | {
      readonly is: 'alerts-loaded';
      readonly rule: Target;
      readonly alerts: readonly { readonly alert: string; readonly expr: string }[];
    }
  /** Targets of a monitor's pool are there, and all are up. */
  | { readonly is: 'targets-up'; readonly monitor: string; readonly endpoint: number }
  /** Prometheus scrapes these pods, and all of them are up. */
  | { readonly is: 'pods-scraped'; readonly pods: readonly string[] }
  /** No address of a Service is announced by nobody. */
  | { readonly is: 'address-announced'; readonly policy: string };

/** One kind of change. */
export interface Action {
  readonly id: string;
  /** `allow plain HTTP`. */
  readonly title: string;
  readonly risk: Risk;
  /** What a rule gives it under `with:`, by name. */
  readonly parameters: Readonly<Record<string, 'needed' | 'optional'>>;
  /** What it writes and reads, for the role. */
  readonly access: readonly Access[];
  plan(input: PlanInput): Promise<Draft>;
}
