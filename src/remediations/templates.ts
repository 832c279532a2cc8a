import type { Change, Json } from '../model/remediation.ts';
import type { RawObject } from '../model/source.ts';
import { same } from './changes.ts';

/** What leads from one value to another, field by field; lists of unequal length are replaced as wholes. */
export function changesBetween(
  before: Json | undefined,
  after: Json | undefined,
  path: readonly (string | number)[],
): readonly Change[] {
  if (same(before, after)) return [];
  if (Array.isArray(before) && Array.isArray(after) && before.length === after.length) {
    return before.flatMap((value, index) => changesBetween(value, after[index], [...path, index]));
  }
  if (isRecord(before) && isRecord(after)) {
    const names = [...new Set([...Object.keys(before), ...Object.keys(after)])];
    return names.flatMap(name => changesBetween(before[name], after[name], [...path, name]));
  }
  return [{ path, ...(before === undefined ? {} : { before }), ...(after === undefined ? {} : { after }) }];
}

function isRecord(value: Json | undefined): value is { readonly [key: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** An object of the same namespace without which a pod of a template does not start. */
export interface Reference {
  readonly kind: 'Secret' | 'ConfigMap' | 'PersistentVolumeClaim' | 'ServiceAccount';
  readonly name: string;
  /** Key of a Secret or ConfigMap; '' for the object as a whole. */
  readonly key: string;
}

/** What a pod template names and cannot do without. */
export function referencesIn(template: RawObject): readonly Reference[] {
  const { containers = [], initContainers = [], volumes = [], serviceAccountName = '' } = template?.spec ?? {};
  const found: Reference[] = [];
  const note = (kind: Reference['kind'], name: unknown, source: RawObject, key: unknown = '') => {
    if (typeof name === 'string' && name !== '' && source?.optional !== true)
      found.push({ kind, name, key: String(key ?? '') });
  };
  for (const container of [...containers, ...initContainers]) {
    for (const { valueFrom } of container.env ?? []) {
      note('Secret', valueFrom?.secretKeyRef?.name, valueFrom?.secretKeyRef, valueFrom?.secretKeyRef?.key);
      note('ConfigMap', valueFrom?.configMapKeyRef?.name, valueFrom?.configMapKeyRef, valueFrom?.configMapKeyRef?.key);
    }
    for (const { secretRef, configMapRef } of container.envFrom ?? []) {
      note('Secret', secretRef?.name, secretRef);
      note('ConfigMap', configMapRef?.name, configMapRef);
    }
  }
  for (const volume of volumes) {
    note('Secret', volume.secret?.secretName, volume.secret);
    note('ConfigMap', volume.configMap?.name, volume.configMap);
    note('PersistentVolumeClaim', volume.persistentVolumeClaim?.claimName, {});
    for (const { secret, configMap } of volume.projected?.sources ?? []) {
      note('Secret', secret?.name, secret);
      note('ConfigMap', configMap?.name, configMap);
    }
  }
  note('ServiceAccount', serviceAccountName, {});
  return found;
}
