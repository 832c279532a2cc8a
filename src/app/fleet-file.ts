import { existsSync, readFileSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, resolve } from 'node:path';
import { type OpenDocument, openYaml, type RuleMistake, schemaMistakes } from '../checks/rule-file.ts';
import type { Expectations } from '../evidence/collector.ts';
import { seconds } from '../evidence/quantities.ts';
import { GapSignal } from '../model/gap.ts';
import type { Rule } from '../model/rule.ts';
import { UserError } from '../model/user-error.ts';
import { NO_EXPECTATIONS } from './diagnose.ts';
import {
  readTuning,
  soundTuning,
  TUNING_SCHEMA,
  type Tuned,
  type Tuning,
  tuneRules,
  type WrittenTuning,
} from './tuning.ts';

/** What `thanos-doctor.yaml` says, checked. */
export interface FleetFile {
  readonly path: string;
  readonly name: string;
  readonly clusters: readonly FleetCluster[];
  readonly expectations: Expectations;
  readonly tuning: Tuning;
}

export interface FleetCluster {
  readonly name: string;
  readonly context: string;
  readonly kubeconfig: string;
  readonly role: 'hub' | 'edge' | '';
  readonly namespaces: readonly string[];
  /** Base URLs by `namespace/name:port`, `namespace/name` or name of a pod or Service. */
  readonly endpoints: Readonly<Record<string, string>>;
  /** Names of environment variables that hold credentials, by bucket or `*`. */
  readonly buckets: Readonly<Record<string, { readonly accessKeyEnv: string; readonly secretKeyEnv: string }>>;
  /** PEM file that object stores may be signed by. */
  readonly storeCertificateAuthority: string;
}

/** The name that is looked for in the working directory. */
export const FLEET_FILE = 'thanos-doctor.yaml';

const DURATION = { type: 'string', pattern: '^([0-9]+(ms|s|m|h|d|w|y))+$' } as const;
const NAME = { type: 'string', minLength: 1 } as const;

const SCHEMA = {
  type: 'object',
  additionalProperties: false,
  required: ['clusters'],
  properties: {
    fleet: NAME,
    clusters: {
      type: 'array',
      minItems: 1,
      items: {
        type: 'object',
        additionalProperties: false,
        required: ['name'],
        properties: {
          name: { type: 'string', pattern: '^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$' },
          context: NAME,
          kubeconfig: NAME,
          role: { enum: ['hub', 'edge'] },
          namespaces: { type: 'array', items: NAME },
          endpoints: { type: 'object', additionalProperties: { type: 'string', pattern: '^https?://' } },
          objectStorage: {
            type: 'object',
            additionalProperties: false,
            properties: {
              certificateAuthority: NAME,
              credentials: {
                type: 'object',
                additionalProperties: {
                  type: 'object',
                  additionalProperties: false,
                  required: ['accessKeyEnv', 'secretKeyEnv'],
                  properties: { accessKeyEnv: NAME, secretKeyEnv: NAME },
                },
              },
            },
          },
        },
      },
    },
    tuning: TUNING_SCHEMA,
    expect: {
      type: 'object',
      additionalProperties: false,
      properties: {
        clusterLabel: NAME,
        queryStores: { type: 'integer', minimum: 1 },
        localRetention: DURATION,
        retention: {
          type: 'object',
          additionalProperties: false,
          properties: { raw: DURATION, '5m': DURATION, '1h': DURATION },
        },
        ignoredTargets: { type: 'array', items: NAME },
      },
    },
  },
} as const;

interface Written {
  readonly fleet?: string;
  readonly clusters: readonly {
    readonly name: string;
    readonly context?: string;
    readonly kubeconfig?: string;
    readonly role?: 'hub' | 'edge';
    readonly namespaces?: readonly string[];
    readonly endpoints?: Readonly<Record<string, string>>;
    readonly objectStorage?: {
      readonly certificateAuthority?: string;
      readonly credentials?: Readonly<Record<string, { readonly accessKeyEnv: string; readonly secretKeyEnv: string }>>;
    };
  }[];
  readonly tuning?: WrittenTuning;
  readonly expect?: {
    readonly clusterLabel?: string;
    readonly queryStores?: number;
    readonly localRetention?: string;
    readonly retention?: { readonly raw?: string; readonly '5m'?: string; readonly '1h'?: string };
    readonly ignoredTargets?: readonly string[];
  };
}

/** Reads a fleet file. Throws a `UserError` with every mistake at once, those against the rules too where they are given. */
export function readFleetFile(path: string, rules?: readonly Rule[]): FleetFile {
  if (!existsSync(path)) throw new UserError(`cannot read fleet file ${path}: there is no such file`);
  if (statSync(path).isDirectory()) throw new UserError(`cannot read fleet file ${path}: it is a folder`);
  const document = openYaml({ path, text: readFileSync(path, 'utf8') });
  if (document.mistakes.length > 0) throw unusable(path, document.mistakes);
  const ofSchema = schemaMistakes(SCHEMA, document);
  const names = namesIn(document.value?.clusters);
  const tuning = readTuning(document, soundTuning(document.value?.tuning, ofSchema), names.filter(isText));
  const ofRules = rules ? tuneRules(rules, tuning).mistakes : [];
  const mistakes = [...ofSchema, ...nameMistakes(document, names), ...ofRules];
  if (mistakes.length > 0) throw unusable(path, mistakes);
  const written = document.value as Written;
  return {
    path,
    name: written.fleet ?? '',
    clusters: written.clusters.map(cluster => toCluster(cluster, path)),
    expectations: expectationsOf(written),
    tuning,
  };
}

/** The name of each cluster, as it stands there. */
function namesIn(clusters: unknown): readonly unknown[] {
  return Array.isArray(clusters) ? clusters.map(cluster => cluster?.name) : [];
}

function isText(name: unknown): name is string {
  return typeof name === 'string';
}

function nameMistakes(document: OpenDocument, names: readonly unknown[]): readonly RuleMistake[] {
  return names.flatMap((name, index) => {
    const place = { file: document.path, ...document.locate(['clusters', index, 'name']) };
    if (name === 'fleet') return [{ ...place, message: 'the name "fleet" stands for all clusters: choose another' }];
    if (!isText(name) || names.indexOf(name) === index) return [];
    return [{ ...place, message: `the name ${name} is taken by an earlier cluster` }];
  });
}

/** The rules as a fleet file tunes them; as they are without one. Throws a `UserError` with every mistake at once. */
export function tunedRules(rules: readonly Rule[], fleet: FleetFile | undefined): Tuned {
  if (!fleet) return { rules, suppressions: [], changes: [] };
  const { tuned, mistakes } = tuneRules(rules, fleet.tuning);
  if (mistakes.length > 0) throw unusable(fleet.path, mistakes);
  return tuned;
}

/** The same where not all rules are loaded: what a fleet file says of others is no mistake then. */
export function tunedWhereKnown(rules: readonly Rule[], fleet: FleetFile | undefined): Tuned {
  return fleet ? tuneRules(rules, fleet.tuning).tuned : { rules, suppressions: [], changes: [] };
}

function unusable(path: string, mistakes: readonly RuleMistake[]): UserError {
  const inOrder = [...mistakes].sort((a, b) => a.line - b.line || a.column - b.column);
  const lines = inOrder.map(({ line, column, message }) => `${path}:${line}:${column}: ${message}`);
  return new UserError(`cannot use fleet file ${path}`, ...lines);
}

function toCluster(cluster: Written['clusters'][number], path: string): FleetCluster {
  return {
    name: cluster.name,
    context: cluster.context ?? cluster.name,
    kubeconfig: cluster.kubeconfig ? fromFile(cluster.kubeconfig, path) : '',
    role: cluster.role ?? '',
    namespaces: cluster.namespaces ?? [],
    endpoints: cluster.endpoints ?? {},
    buckets: cluster.objectStorage?.credentials ?? {},
    storeCertificateAuthority: cluster.objectStorage?.certificateAuthority
      ? fromFile(cluster.objectStorage.certificateAuthority, path)
      : '',
  };
}

/** A path as a fleet file writes it: `~` is the home directory, anything else relative is so to the file. */
function fromFile(written: string, path: string): string {
  if (written.startsWith('~/')) return resolve(homedir(), written.slice(2));
  return resolve(dirname(path), written);
}

function expectationsOf(written: Written): Expectations {
  const { expect } = written;
  const clusters = written.clusters.map(({ name, role }) => ({ name, role: role ?? '' }));
  return {
    ...NO_EXPECTATIONS,
    stated: true,
    clusters,
    clusterLabel: expect?.clusterLabel ?? '',
    queryStores: expect?.queryStores ?? 0,
    localRetention: duration(expect?.localRetention),
    retention: {
      raw: duration(expect?.retention?.raw),
      fiveMinutes: duration(expect?.retention?.['5m']),
      oneHour: duration(expect?.retention?.['1h']),
    },
    ignoredTargets: expect?.ignoredTargets ?? [],
  };
}

function duration(text: string | undefined): number {
  try {
    return seconds(text ?? '');
  } catch (error) {
    if (error instanceof GapSignal) throw new UserError(`cannot use the fleet file: ${error.message}`);
    throw error;
  }
}
