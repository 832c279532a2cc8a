/** One served resource of a group version, as discovery tells it. */
export interface ServedResource {
  readonly group: string;
  readonly version: string;
  readonly resource: string;
  readonly kind: string;
  readonly namespaced: boolean;
  readonly verbs: readonly string[];
}

export interface Discovery {
  readonly resources: readonly ServedResource[];
  /** Group versions that could not be read: their kinds are not known to be absent. */
  readonly unreadable: readonly { readonly group: string; readonly version: string; readonly error: string }[];
}

/** What one API server said of itself. */
export interface ServerAnswer {
  /** `gitVersion`, e.g. `v1.34.4`. */
  readonly version: string;
  readonly minor: number;
  /** host:port of the API server. */
  readonly host: string;
  readonly context: string;
  readonly ready: boolean;
  /** Its clock against that of the machine that asked; absent where it told no time. */
  readonly clock?: ClockDifference;
  /** The credential it was asked with; absent for one that renews itself, or does not tell its end. */
  readonly credential?: CredentialEnd;
}

/** Seconds: a server's `Date` less the asking machine's clock in the middle of the request, and how long that took. */
export interface ClockDifference {
  readonly difference: number;
  readonly within: number;
}

/** When a credential of the kubeconfig ends. Nothing of the credential itself. */
export interface CredentialEnd {
  readonly kind: 'client certificate' | 'token';
  readonly user: string;
  readonly expires: string;
}

// biome-ignore lint/suspicious/noExplicitAny: raw JSON of an API; collectors turn it into dense shapes at once
export type RawObject = any;

/** A whole LIST over all namespaces. `installed: false`: discovery does not have the kind, so it is known to be empty. */
export interface ListAnswer {
  readonly installed: boolean;
  readonly items: readonly RawObject[];
  readonly kind: string;
  /** Path of the request, for the report's evidence. */
  readonly path: string;
  /** Namespaces that could not be read, where the cluster-wide LIST was forbidden. */
  readonly unread: readonly { readonly namespace: string; readonly detail: string }[];
  /** Only these namespaces were asked for (a bundle may say so); null for all. Of others, absence is not known. */
  readonly onlyNamespaces: readonly string[] | null;
}

export interface LogRequest {
  readonly namespace: string;
  readonly pod: string;
  readonly container: string;
  readonly previous: boolean;
  /** So many bytes at the end are enough; a source for which that is no less work gives all. */
  readonly lastBytes?: number;
}

/** `none`: known that there is no log (the container waits, or has no earlier run). Each line begins with the API's timestamp. */
export type LogAnswer =
  | { readonly is: 'none'; readonly why: string; readonly path: string }
  | { readonly is: 'lines'; readonly chunks: AsyncIterable<Uint8Array>; readonly path: string };

export interface HttpRequest {
  readonly via: 'pod' | 'service' | 'node';
  /** '' for a node. */
  readonly namespace: string;
  readonly name: string;
  /** 0 for a node. */
  readonly port: number;
  /** With query, e.g. `/api/v1/targets?state=active`. */
  readonly path: string;
}

/** A component's own answer, whatever its status is: a 503 of `/-/ready` is an answer. */
export interface HttpAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
  readonly path: string;
  /** The way that was used: `pod proxy`, `service proxy`, `port-forward`, an endpoint URL, `bundle`. */
  readonly by: string;
}

/** Where an object storage configuration stands; `id` is `namespace/name/key`. */
export interface StoreReference {
  readonly id: string;
  readonly kind: 'Secret' | 'ConfigMap' | 'inline';
  readonly namespace: string;
  readonly name: string;
  /** Key in the Secret or ConfigMap; container for `inline`. */
  readonly key: string;
}

/** A credential that can be compared and never be printed. */
export interface Secret {
  readonly set: boolean;
  /** `hmac:…`: equal fingerprints of one run or bundle are equal credentials. '' where not set. */
  readonly fingerprint: string;
  /** The value begins or ends with white space. */
  readonly edgeSpace: boolean;
}

/** One object storage configuration. `config` is the parsed document, every credential replaced by a `Secret`. */
export interface StoreAnswer {
  readonly reference: StoreReference;
  readonly path: string;
  /** Parsed YAML: `{type, config: {bucket, endpoint, …}, prefix}`; null where `error` says why not. */
  readonly config: RawObject | null;
  /** '' or why the object, its key or the document cannot be used: `not-found`, `no-such-key`, `invalid: …`. */
  readonly error: string;
  /** Names of all keys of the object. */
  readonly keys: readonly string[];
  readonly changedAt: string;
  readonly resourceVersion: string;
}

/** What a store said to a signed LIST and HEAD. `code` '' where it answered well, else S3's own code. */
export interface BucketAnswer {
  readonly code: string;
  readonly status: number;
  readonly message: string;
  readonly isS3: boolean;
  readonly path: string;
  /** Seconds: the store's `Date` less ours; absent where it told none. */
  readonly clockDifference?: number;
}

/** What a bucket does by itself with its objects. */
export interface BucketSettings {
  readonly lifecycle: readonly LifecycleRule[];
  readonly path: string;
}

/** A lifecycle rule, of which only what decides is kept. */
export interface LifecycleRule {
  readonly id: string;
  readonly enabled: boolean;
  readonly prefix: string;
  /** Of its filter; an object must carry all of them. */
  readonly tags: readonly string[];
  /** Current objects are deleted after so many days; 0 where the rule does not say. */
  readonly expireDays: number;
  /** Or at a date; '' where the rule does not say. */
  readonly expireDate: string;
}

/** One object of a bucket. */
export interface ListedObject {
  readonly key: string;
  readonly size: number;
  readonly lastModified: string;
  /** What the store says of its content: equal for as long as the content is; left out where it says nothing. */
  readonly etag?: string;
  /** What `bucketObject` would say, where it was read before and is the same by its `etag`. */
  readonly text?: string;
}

export interface BucketListing {
  readonly bucket: string;
  readonly endpoint: string;
  /** None of those that were taken while listing. */
  readonly objects: readonly ListedObject[];
  readonly truncated: boolean;
  readonly path: string;
}

export interface ProbeAnswer {
  readonly tcp: 'open' | 'refused' | 'timeout' | 'unresolved' | 'unroutable';
  readonly speaks: 'http' | 'tls' | 'grpc' | 'nothing' | '';
  readonly certificate: {
    readonly notBefore: string;
    readonly notAfter: string;
    readonly names: readonly string[];
    readonly issuer: string;
  } | null;
}

/** One line of what was allowed: a SelfSubjectRulesReview per namespace, as the API answered. */
export interface AccessReview {
  readonly namespace: string;
  readonly incomplete: boolean;
  readonly resourceRules: readonly RawObject[];
  readonly nonResourceRules: readonly RawObject[];
}

/** A read that failed, in the form of a bundle's `failures.yaml`. */
export interface ReadFailure {
  readonly path: string;
  readonly status: number;
  readonly reason: string;
  readonly message: string;
  readonly store?: string;
}

/**
 * The verbs by which a cluster can be read. Live cluster and bundle are two implementations; both return raw answers,
 * with credentials already taken out, and throw a `GapSignal` where something could not be read.
 */
export interface Source {
  readonly cluster: string;
  readonly is: 'live' | 'bundle';
  /** By which a live cluster is reached; '' in a pod. A server that answers says it itself. */
  readonly context?: string;
  /** From the fleet file or the bundle; '' where nobody said. */
  readonly roleHint: 'hub' | 'edge' | '';
  /** RFC 3339: the "now" of every age. For a live cluster, the API server's own clock. Valid once `server()` has answered. */
  takenAt(): string;
  server(): Promise<ServerAnswer>;
  discovery(): Promise<Discovery>;
  /** What the reader may do in these namespaces; without any, in those that the source knows. A bundle answers what it holds. */
  access(namespaces?: readonly string[]): Promise<readonly AccessReview[]>;
  /** False where the API server says that this list would be refused. Left out where nobody can say. */
  mayList?(group: string, resource: string): Promise<boolean>;
  /**
   * `group` '' is the core group. The served version is found by discovery. With `take`, `items` holds what it returns for
   * each object, and the objects themselves are let go page by page.
   */
  list(group: string, resource: string, take?: (object: RawObject) => unknown): Promise<ListAnswer>;
  logs(request: LogRequest): Promise<LogAnswer>;
  http(request: HttpRequest): Promise<HttpAnswer>;
  /** The configuration itself, credentials as fingerprints; the source remembers them for the bucket verbs. */
  objectStore(reference: StoreReference): Promise<StoreAnswer>;
  bucketAnswer(store: string): Promise<BucketAnswer>;
  /**
   * With `take`, objects are given to it while they are listed, and no others are read before it is done with them; at
   * the end it gets none. So what it keeps is all that is kept.
   */
  bucketListing(store: string, take?: (objects: readonly ListedObject[]) => Promise<void>): Promise<BucketListing>;
  /** What the bucket does by itself; a source without it has not asked. */
  bucketSettings?(store: string): Promise<BucketSettings>;
  /**
   * Body of one object of the bucket (`ULID/meta.json`, marks), or null where it does not exist. For an object as it was
   * listed, a source may leave out what no collector reads.
   */
  bucketObject(store: string, key: string, listed?: ListedObject): Promise<string | null>;
  probe(endpoint: string): Promise<ProbeAnswer>;
  /** Every read that failed so far. */
  failures(): readonly ReadFailure[];
  /** Requests and bytes so far. */
  usage(): { readonly requests: number; readonly bytes: number };
  close(): Promise<void>;
}
