import type { ShapeOf } from '../../model/shape.ts';
import type { RawObject } from '../../model/source.ts';
import { list, text } from '../objects.ts';

/**
 * Whether the operator refused an object, by the object's own status. It is written with the operator's feature gate
 * StatusForConfigurationResources alone; without it only an event or the operator's log says so.
 */
export const REJECTION = { rejected: 'bool', rejectedWhy: 'str' } as const;

export function rejectionOf(object: RawObject): ShapeOf<typeof REJECTION> {
  const refused = list(object.status?.bindings)
    .flatMap(binding => list(binding?.conditions))
    .find(condition => condition?.type === 'Accepted' && condition.status === 'False');
  return { rejected: refused !== undefined, rejectedWhy: text(refused?.message) || text(refused?.reason) };
}
