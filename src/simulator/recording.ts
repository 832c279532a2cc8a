import { parse } from 'yaml';
import type { BundleFiles } from '../clusters/bundle-files.ts';
import type { AccessReview, RawObject, ReadFailure } from '../model/source.ts';

/** One group version of `discovery.json`; `error` in place of `resources` where it could not be read. */
export interface RecordedGroup {
  readonly group: string;
  readonly version: string;
  readonly error?: string;
  readonly resources?: readonly {
    readonly name: string;
    readonly kind: string;
    readonly namespaced: boolean;
    readonly verbs: readonly string[];
  }[];
}

/** One line of `http/index.yaml`. */
export interface RecordedHttp {
  readonly via: 'pod' | 'service' | 'node';
  readonly namespace?: string;
  readonly name: string;
  readonly port?: number;
  readonly path: string;
  readonly status: number;
  readonly contentType?: string;
  readonly file: string;
}

/** One line of `stores.yaml`; credentials stand as `{set, fingerprint, edgeSpace}`. */
export interface RecordedStore {
  readonly id: string;
  readonly secret?: { readonly namespace: string; readonly name: string; readonly key: string };
  readonly configMap?: { readonly namespace: string; readonly name: string; readonly key: string };
  readonly inline?: RawObject;
  readonly keys?: readonly string[];
  readonly changedAt?: string;
  readonly resourceVersion?: string;
  readonly config?: RawObject;
  readonly error?: string;
}

/** One line of `buckets/index.yaml`. */
export interface RecordedBucket {
  readonly bucket: string;
  readonly endpoint: string;
  readonly folder: string;
  readonly stores: readonly string[];
}

/** One line of `probes.yaml`. */
export interface RecordedProbe {
  readonly endpoint: string;
  readonly tcp: 'open' | 'refused' | 'timeout' | 'unresolved' | 'unroutable';
  readonly speaks?: 'http' | 'tls' | 'grpc' | 'nothing';
  readonly certificate?: {
    readonly notBefore: string;
    readonly notAfter: string;
    readonly names: readonly string[];
    readonly issuer: string;
  };
}

/** What a bundle holds of one cluster. Objects, logs and bodies are read when they are asked for. */
export interface ClusterRecording {
  readonly name: string;
  /** RFC 3339: the "now" of every age in this cluster. */
  readonly takenAt: string;
  /** `cluster.yaml`. */
  readonly about: RawObject;
  /** Undefined where discovery could not be read. */
  readonly groups: readonly RecordedGroup[] | undefined;
  /** Undefined where it was not recorded: nothing is enforced then. */
  readonly access: readonly AccessReview[] | undefined;
  readonly failures: readonly ReadFailure[];
  readonly http: readonly RecordedHttp[];
  readonly stores: readonly RecordedStore[];
  readonly buckets: readonly RecordedBucket[];
  readonly probes: readonly RecordedProbe[];
  /** Paths inside the cluster's folder. */
  readonly paths: ReadonlySet<string>;
  /** A file of the cluster's folder; undefined where there is none. */
  file(path: string): Promise<Uint8Array | undefined>;
}

/** Reads what a bundle says of each of its clusters, in the order of its manifest. */
export async function readRecordings(bundle: BundleFiles): Promise<readonly ClusterRecording[]> {
  const manifest = (await readYaml(bundle, 'manifest.yaml')) ?? {};
  const names: readonly string[] = manifest.clusters ?? [];
  if (names.length === 0) throw new Error(`${bundle.place} names no cluster to simulate`);
  return Promise.all(names.map(name => readRecording(bundle, name)));
}

async function readRecording(bundle: BundleFiles, name: string): Promise<ClusterRecording> {
  const folder = `clusters/${name}/`;
  const about = await readYaml(bundle, `${folder}cluster.yaml`);
  if (!about) throw new Error(`${bundle.place} has no ${folder}cluster.yaml`);
  const discovery = await bundle.read(`${folder}discovery.json`);
  const lines = async (file: string) => (await readYaml(bundle, folder + file)) ?? [];
  return {
    name,
    takenAt: about.takenAt,
    about,
    groups: discovery && JSON.parse(Buffer.from(discovery).toString('utf8')).groups,
    access: (await readYaml(bundle, `${folder}access.yaml`)) ?? undefined,
    failures: await lines('failures.yaml'),
    http: await lines('http/index.yaml'),
    stores: await lines('stores.yaml'),
    buckets: await lines('buckets/index.yaml'),
    probes: await lines('probes.yaml'),
    paths: new Set([...bundle.paths].filter(path => path.startsWith(folder)).map(path => path.slice(folder.length))),
    file: path => bundle.read(folder + path),
  };
}

async function readYaml(bundle: BundleFiles, path: string): Promise<RawObject> {
  const bytes = await bundle.read(path);
  return bytes && parse(Buffer.from(bytes).toString('utf8'));
}
