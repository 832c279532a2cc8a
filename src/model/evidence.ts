import type { Gap } from './gap.ts';
import type { Shape } from './shape.ts';

/** Something we set out to know: either known, or a gap with a reason. Never `undefined`. */
export type Evidence<Value = unknown> =
  | { readonly known: true; readonly value: Value; readonly from: readonly string[] }
  | { readonly known: false; readonly gap: Gap };

/** A verb on a resource that a collector needs; the RBAC manifest and the preflight come from here. */
export interface Access {
  readonly verbs: readonly string[];
  /** '' is the core group. */
  readonly group: string;
  /** With subresource: `pods/log`. Starts with `/` for a non-resource URL. */
  readonly resource: string;
}

/** What rules and documentation know of a collector. */
export interface EvidenceDescription {
  /** `kubernetes.pods`: also the file name, also the word used in rules. */
  readonly id: string;
  /** One sentence; becomes documentation. */
  readonly about: string;
  /** `cluster`: once per cluster. `fleet`: once for all clusters together. */
  readonly scope: 'cluster' | 'fleet';
  /** Core evidence that is missing makes a run without problems `unknown`; optional evidence is listed. */
  readonly core: boolean;
  /** Concluded from other evidence, without a request of its own. */
  readonly derived: boolean;
  readonly params: readonly string[];
  readonly needs: readonly Access[];
  readonly shape: Shape;
}

/** The evidence of one cluster, or of the fleet. Every piece is collected once and remembered. */
export interface EvidenceStore {
  /** Name of the cluster, or `fleet`. */
  readonly cluster: string;
  /** Milliseconds since the epoch: the "now" of every age. */
  readonly takenAt: number;
  describe(id: string): EvidenceDescription | undefined;
  /** What has been collected already, or undefined. */
  peek(id: string, params: Readonly<Record<string, string>>): Evidence | undefined;
  collect(id: string, params: Readonly<Record<string, string>>): Promise<Evidence>;
}
