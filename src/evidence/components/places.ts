import type { ContainerSpec } from '../pod-containers.ts';
import { type Flag, flagValue } from './command-line.ts';

/** A volume as a pod or a template has it. */
export interface NamedVolume {
  readonly name: string;
  readonly kind: string;
  readonly source: string;
  readonly keys: readonly string[];
}

/** Where a component finds its object storage configuration; `source` is env, file, inline or none. */
export interface ConfigurationPlace {
  readonly source: string;
  /** Secret or ConfigMap; '' for inline and none. */
  readonly kind: string;
  readonly name: string;
  readonly key: string;
  /** Path of the file; '' where it is no file. */
  readonly path: string;
}

const NOWHERE: ConfigurationPlace = { source: 'none', kind: '', name: '', key: '', path: '' };

/** By `--objstore.config` or `--objstore.config-file`; an empty value is as good as none. */
export function objectStorePlace(
  flags: readonly Flag[],
  container: ContainerSpec,
  volumes: readonly NamedVolume[],
): ConfigurationPlace {
  const inline = flagValue(flags, '--objstore.config').trim();
  if (inline !== '') return fromArgument(inline, container);
  const path = flagValue(flags, '--objstore.config-file').trim();
  return path === '' ? NOWHERE : fromFile(path, container, volumes);
}

function fromArgument(value: string, container: ContainerSpec): ConfigurationPlace {
  const variable = /^\$[({]?([A-Za-z_][A-Za-z0-9_]*)[)}]?$/.exec(value)?.[1];
  const source = container.env.find(env => env.name === variable);
  if (source?.fromSecret) return { source: 'env', kind: 'Secret', name: source.fromSecret, key: source.key, path: '' };
  if (source?.fromConfigMap) {
    return { source: 'env', kind: 'ConfigMap', name: source.fromConfigMap, key: source.key, path: '' };
  }
  const all = variable === undefined ? undefined : container.envFrom[0];
  if (all?.fromSecret) return { source: 'env', kind: 'Secret', name: all.fromSecret, key: variable!, path: '' };
  return { source: 'inline', kind: '', name: '', key: container.container, path: '' };
}

function fromFile(path: string, container: ContainerSpec, volumes: readonly NamedVolume[]): ConfigurationPlace {
  const mount = mountOf(path, container);
  const volume = volumes.find(
    candidate => candidate.name === mount?.volume && (candidate.kind === 'secret' || candidate.kind === 'configMap'),
  );
  if (!mount || !volume) return { source: 'file', kind: '', name: '', key: '', path };
  const key = mount.subPath || path.slice(mount.path.length).replace(/^\/+/, '');
  // `items` may give a key another file name; with a single key there is no doubt which one is meant.
  const mapped = volume.keys.length === 1 && !volume.keys.includes(key) ? volume.keys[0]! : key;
  const kind = volume.kind === 'secret' ? 'Secret' : 'ConfigMap';
  return { source: 'file', kind, name: volume.source, key: mapped, path };
}

/** The mount under which a path lies: the deepest one. */
function mountOf(path: string, container: ContainerSpec) {
  return container.mounts
    .filter(mount => path === mount.path || path.startsWith(mount.path.endsWith('/') ? mount.path : `${mount.path}/`))
    .sort((first, second) => second.path.length - first.path.length)[0];
}

/** The volume behind a directory: `{kind, name}`, name being the claim, Secret, …; '' on the container's own layer. */
export function volumeBehind(directory: string, container: ContainerSpec, volumes: readonly NamedVolume[]) {
  const mount = directory.startsWith('/') ? mountOf(directory, container) : undefined;
  const volume = volumes.find(candidate => candidate.name === mount?.volume);
  return {
    kind: volume?.kind ?? '',
    name: volume?.source ?? '',
    readOnly: mount?.readOnly ?? false,
    volume: mount?.volume ?? '',
  };
}

/** The port of a listen address such as `:10902`, `0.0.0.0:10902` or `[::]:10902`; 0 where it names none. */
export function portOf(address: string): number {
  return Number(/:([0-9]+)$/.exec(address)?.[1] ?? 0);
}
