import type { ShapeOf } from '../model/shape.ts';
import type { RawObject } from '../model/source.ts';
import { ofSiblings, volumeName } from './interning.ts';
import { flag, list, strings, text } from './objects.ts';
import { CONTAINER_SPEC, containerSpecs } from './pod-containers.ts';
import { bytes } from './quantities.ts';

/**
 * Volumes of a pod. `kind` is claim, secret, configMap, emptyDir, hostPath, projected, csi or other; `source` names the
 * claim, Secret, ConfigMap, path or driver. A projected volume has a row for each Secret and ConfigMap in it.
 * `keys` are the keys that it asks for by name.
 */
export const VOLUMES = [
  { name: 'str', kind: 'str', source: 'str', optional: 'bool', sizeLimit: 'int', readOnly: 'bool', keys: ['str'] },
] as const;

export type Volume = ShapeOf<typeof VOLUMES>[number];

export const POD_TEMPLATE = {
  labels: 'map',
  annotations: 'map',
  containers: [CONTAINER_SPEC],
  volumes: VOLUMES,
  serviceAccount: 'str',
  priorityClass: 'str',
  imagePullSecrets: ['str'],
  nodeSelector: 'map',
} as const;

export function podTemplate(template: RawObject): ShapeOf<typeof POD_TEMPLATE> {
  const spec = template?.spec;
  return {
    labels: strings(template?.metadata?.labels),
    annotations: strings(template?.metadata?.annotations),
    containers: containerSpecs(spec),
    volumes: volumesOf(spec, ''),
    serviceAccount: text(spec?.serviceAccountName),
    priorityClass: text(spec?.priorityClassName),
    imagePullSecrets: list(spec?.imagePullSecrets).map(secret => text(secret?.name)),
    nodeSelector: strings(spec?.nodeSelector),
  };
}

/** Volumes of a pod specification; `pod` names the claims of ephemeral volumes (`<pod>-<volume>`). */
export function volumesOf(spec: RawObject, pod: string): readonly Volume[] {
  return list(spec?.volumes).flatMap(volume => volumeRows(volume, volume?.ephemeral ? pod : ''));
}

const volumeRows = ofSiblings((raw, pod): readonly Volume[] => {
  const name = volumeName(text(raw?.name));
  const row = (kind: string, source: unknown, more: Partial<Volume> = {}): Volume => ({
    name,
    kind,
    source: text(source),
    optional: false,
    sizeLimit: 0,
    readOnly: false,
    keys: [],
    ...more,
  });
  if (raw?.persistentVolumeClaim) {
    const { claimName, readOnly } = raw.persistentVolumeClaim;
    return [row('claim', claimName, { readOnly: flag(readOnly) })];
  }
  if (raw?.ephemeral) return [row('claim', pod ? `${pod}-${name}` : '')];
  if (raw?.secret) {
    return [row('secret', raw.secret.secretName, { optional: flag(raw.secret.optional), keys: keysOf(raw.secret) })];
  }
  if (raw?.configMap) {
    return [
      row('configMap', raw.configMap.name, { optional: flag(raw.configMap.optional), keys: keysOf(raw.configMap) }),
    ];
  }
  if (raw?.emptyDir) return [row('emptyDir', '', { sizeLimit: bytes(raw.emptyDir.sizeLimit) })];
  if (raw?.hostPath) return [row('hostPath', raw.hostPath.path)];
  if (raw?.csi) return [row('csi', raw.csi.driver)];
  if (!raw?.projected) return [row('other', '')];
  const parts = list(raw.projected.sources).flatMap(source => {
    const part = source?.secret ?? source?.configMap;
    if (!part) return [];
    const kind = source.secret ? 'secret' : 'configMap';
    return [row(kind, part.name, { optional: flag(part.optional), keys: keysOf(part) })];
  });
  return [row('projected', ''), ...parts];
});

function keysOf(source: RawObject): readonly string[] {
  return list(source?.items).map(item => text(item?.key));
}
