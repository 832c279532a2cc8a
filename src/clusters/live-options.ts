import type { Fingerprint } from './fingerprint.ts';

/** Waits in milliseconds. */
export interface LiveTimeouts {
  /** `/version` and `/readyz`, before anything else is asked. */
  readonly preflight: number;
  /** One request to the API server, whole body included. */
  readonly request: number;
  /** One container's log. */
  readonly log: number;
  /** One HTTP request to a component. */
  readonly component: number;
  /** One request to an object store. */
  readonly store: number;
  /** Each step of a network probe. */
  readonly probe: number;
}

/** How failed requests are repeated. */
export interface RetryPolicy {
  /** Further attempts after the first. */
  readonly retries: number;
  /** Milliseconds before the first repetition; doubled each time. */
  readonly delay: number;
  /** Milliseconds; a longer `Retry-After` ends the attempts. */
  readonly longest: number;
}

/** Credentials for an object store, given by the user. */
export interface StoreCredentials {
  readonly accessKey: string;
  readonly secretKey: string;
  readonly sessionToken?: string;
}

/** Somebody else to act as (`--as`, `--as-group`). */
export interface Impersonation {
  readonly user: string;
  readonly groups?: readonly string[];
  readonly uid?: string;
}

/** How one live cluster is opened and read. Only `name` has to be given. */
export interface LiveClusterOptions {
  /** The cluster's name in the report. */
  readonly name: string;
  readonly roleHint?: 'hub' | 'edge' | '';
  /** One kubeconfig file; without it those of `KUBECONFIG`, else `~/.kube/config`, else the service account of a pod. */
  readonly kubeconfig?: string;
  /** Without it, the current context. */
  readonly context?: string;
  readonly impersonate?: Impersonation;
  /** Read one by one where the LIST over all namespaces is forbidden. */
  readonly namespaces?: readonly string[];
  /** Read only these, whatever is allowed. */
  readonly onlyNamespaces?: readonly string[];
  /** False: no Secret is read, not even the ones that hold an object storage configuration. Default true. */
  readonly readSecrets?: boolean;
  /** False: no object store is contacted. Default true. */
  readonly readBuckets?: boolean;
  /** Port-forward to a component whose proxy is forbidden. Default false. */
  readonly portForward?: boolean;
  /** Base URLs of components, by `namespace/name:port`, `namespace/name` or `name` of the pod or Service. */
  readonly endpoints?: Readonly<Record<string, string>>;
  /** ConfigMaps (`namespace/name`) whose values are kept. */
  readonly configMapValues?: readonly string[];
  readonly logs?: { readonly lines?: number; readonly bytes?: number; readonly sinceSeconds?: number };
  /** By store id, by bucket, or `*` for all. */
  readonly storeCredentials?: Readonly<Record<string, StoreCredentials>>;
  /** PEM certificates that object stores may be signed by, in addition to the system's. */
  readonly storeCertificateAuthority?: string;
  /** Objects of one bucket that are listed at most. Default 10 000 000; 1 000 000 where all are wanted together. */
  readonly bucketObjects?: number;
  /** Folder in which what was read of blocks is remembered. Default: nothing is. */
  readonly cacheFolder?: string;
  /** Bytes of one component answer that are read at most. Default 8 MB. */
  readonly componentBytes?: number;
  readonly timeouts?: Partial<LiveTimeouts>;
  readonly retry?: Partial<RetryPolicy>;
  /**
   * Where connections to object stores and probes really go, by `host:port`: another `host:port`, or the word `timeout`,
   * `unresolved` or `unroutable` for what they are to find. For simulated fleets.
   */
  readonly redirect?: ReadonlyMap<string, string>;
  /** Ends everything under way, as gaps. */
  readonly signal?: AbortSignal;
  /** Milliseconds since the epoch at which everything under way ends, as gaps. */
  readonly deadline?: number;
  /** One for a whole run, so that credentials of several clusters can be compared. */
  readonly fingerprint?: Fingerprint;
  /** Default `process.env`. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** Where a pod finds its service account; for tests. */
  readonly serviceAccountFolder?: string;
}

export const TIMEOUTS: LiveTimeouts = {
  preflight: 2000,
  request: 30_000,
  log: 60_000,
  component: 5000,
  store: 5000,
  probe: 3000,
};

export const RETRY: RetryPolicy = { retries: 3, delay: 250, longest: 10_000 };
