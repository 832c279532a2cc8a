import { describe, expect, it } from 'vitest';
import { COLLECTORS } from '../../src/evidence/catalogue.ts';
import type { Shape } from '../../src/model/shape.ts';
import { ALL_SCENES } from './scenes.ts';

const LEAVES: Readonly<Record<string, (value: unknown) => boolean>> = {
  str: value => typeof value === 'string',
  time: value => typeof value === 'string',
  int: value => typeof value === 'number',
  float: value => typeof value === 'number',
  bool: value => typeof value === 'boolean',
  map: value => typeof value === 'object' && value !== null && !Array.isArray(value),
};

/** Where a partial value is something that the collector could never give. */
function misfits(shape: Shape, value: unknown, place: string): readonly string[] {
  if (Array.isArray(shape)) {
    if (!Array.isArray(value)) return [`${place} is a list`];
    return value.flatMap((element, at) => misfits(shape[0], element, `${place}[${at}]`));
  }
  if (typeof shape === 'string') return (LEAVES[shape]?.(value) ?? true) ? [] : [`${place} is of type ${shape}`];
  const fields = shape as Readonly<Record<string, Shape>>;
  return Object.entries(value as Readonly<Record<string, unknown>>).flatMap(([name, field]) =>
    name in fields ? misfits(fields[name]!, field, `${place}.${name}`) : [`${place} has no field ${name}`],
  );
}

// A guard that reads a field otherwise than its collector writes it refuses every time, and no scene of a server tells.
describe('the evidence of a scene could come from its collector', () => {
  it.each(Object.entries(ALL_SCENES))('%s', (_, { evidence = {} }) => {
    const found = Object.entries(evidence).flatMap(([id, value]) =>
      misfits(COLLECTORS.get(id.split(' ')[0]!)!.shape, value, id),
    );
    expect(found).toEqual([]);
  });
});
