import type { RawObject } from '../model/source.ts';

/** Whether an object fits a `labelSelector` and a `fieldSelector`, as the API server reads them. */
export function fits(object: RawObject, labelSelector: string, fieldSelector: string): boolean {
  return fitsLabels(object.metadata?.labels ?? {}, labelSelector) && fitsFields(object, fieldSelector);
}

/** A label selector against labels. */
export function fitsLabels(labels: Readonly<Record<string, string>>, selector: string): boolean {
  // A comma inside the parentheses of `in (a,b)` separates values, not requirements.
  const requirements = selector.split(/,(?![^(]*\))/).map(part => part.trim());
  return requirements.filter(Boolean).every(requirement => fitsRequirement(labels, requirement));
}

function fitsRequirement(labels: Readonly<Record<string, string>>, requirement: string): boolean {
  const set = /^(\S+)\s+(in|notin)\s*\(([^)]*)\)$/.exec(requirement);
  if (set) {
    const value = labels[set[1]!];
    const named = set[3]!.split(',').map(part => part.trim());
    const among = value !== undefined && named.includes(value);
    return set[2] === 'in' ? among : !among;
  }
  const equality = /^([^!=\s]+)\s*(!=|==?)\s*(\S*)$/.exec(requirement);
  if (equality) return (labels[equality[1]!] === equality[3]) === (equality[2] !== '!=');
  return requirement.startsWith('!') ? labels[requirement.slice(1)] === undefined : labels[requirement] !== undefined;
}

function fitsFields(object: RawObject, selector: string): boolean {
  return selector
    .split(',')
    .filter(Boolean)
    .every(requirement => {
      const parts = /^([^!=]+)(!=|==?)(.*)$/.exec(requirement);
      if (!parts) return true;
      const value = parts[1]!.split('.').reduce((inner: RawObject, field) => inner?.[field], object) ?? '';
      return (String(value) === parts[3]) === (parts[2] !== '!=');
    });
}
