import { COLLECTORS } from '../evidence/catalogue.ts';
import type { Collector } from '../evidence/collector.ts';
import type { Shape } from '../model/shape.ts';

/** `docs/evidence.md`: everything that rules may read, with its shape. */
export function evidenceReference(): string {
  const collectors = [...COLLECTORS.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
  return `${[
    '# Evidence',
    '',
    'Everything that rules may read. Written by `scripts/generate.mjs` from the collectors in `src/evidence/`.',
    '',
    "Every field is always present: `''`, `0`, `false`, `[]`, `{}` where the source has nothing. `time` is an RFC 3339 text;",
    'ages are whole seconds against the moment the evidence was taken, -1 if there is none. Memory and storage are bytes,',
    'CPU is millicores. **Core** evidence that is missing makes a run without problems `unknown` (exit code 3); **optional**',
    'evidence that nobody asked for, or that a bundle does not hold, is listed and changes nothing else. What was tried and',
    'failed makes the run `unknown` whichever it is.',
    '',
    '| evidence | | about |',
    '|---|---|---|',
    ...collectors.map(
      ({ id, core, about }) => `| [\`${id}\`](#${id.replaceAll('.', '')}) | ${core ? 'core' : 'optional'} | ${about} |`,
    ),
    '',
    ...collectors.flatMap(section),
  ].join('\n')}`;
}

function section(collector: Collector): readonly string[] {
  const { id, about, core, derived, scope, params, needs, shape } = collector;
  const access = needs.map(({ verbs, group, resource }) => `${verbs.join('/')} ${resource}${group ? `.${group}` : ''}`);
  return [
    `## ${id}`,
    '',
    about,
    '',
    `- ${core ? 'core' : 'optional'}, ${derived ? 'concluded from other evidence' : 'read'}, once per ${scope === 'fleet' ? 'fleet' : 'cluster'}`,
    ...(params.length > 0 ? [`- with: ${params.map(name => `\`${name}\``).join(', ')}`] : []),
    ...(access.length > 0 ? [`- needs: ${access.map(text => `\`${text}\``).join(', ')}`] : []),
    '',
    '```',
    ...shapeLines(shape, ''),
    '```',
    '',
  ];
}

function shapeLines(shape: Shape, indent: string): readonly string[] {
  if (typeof shape === 'string') return [`${indent}${shape}`];
  if (Array.isArray(shape)) return [`${indent}a list of`, ...shapeLines(shape[0], `${indent}  `)];
  return Object.entries(shape as Readonly<Record<string, Shape>>).flatMap(([name, field]) =>
    fieldLines(name, field, indent),
  );
}

function fieldLines(name: string, shape: Shape, indent: string): readonly string[] {
  if (typeof shape === 'string') return [`${indent}${name}: ${shape}`];
  if (isReference(shape)) return [`${indent}${name}: ref`];
  if (!Array.isArray(shape)) return [`${indent}${name}:`, ...shapeLines(shape, `${indent}  `)];
  const [element] = shape as readonly [Shape];
  if (typeof element === 'string') return [`${indent}${name}: list of ${element}`];
  if (isReference(element)) return [`${indent}${name}: list of ref`];
  return [`${indent}${name}: list of`, ...shapeLines(element, `${indent}  `)];
}

function isReference(shape: Shape): boolean {
  return (
    typeof shape === 'object' && !Array.isArray(shape) && Object.keys(shape).join() === 'kind,namespace,name,uid,key'
  );
}
