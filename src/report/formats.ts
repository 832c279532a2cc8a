import type { Format } from '../model/report.ts';
import { UserError } from '../model/user-error.ts';
import { json } from './json.ts';
import { markdown } from './markdown.ts';
import { text } from './text.ts';

/** A format by name, and by the endings of the files that are written in it. */
export interface NamedFormat {
  readonly name: string;
  readonly endings: readonly string[];
  readonly about: string;
  readonly format: Format;
}

/** Every format. The first one is the usual one. */
export const FORMATS: readonly NamedFormat[] = [
  { name: 'text', endings: ['.txt', '.text'], about: 'for a terminal, root causes first', format: text },
  { name: 'markdown', endings: ['.md', '.markdown'], about: 'for a ticket', format: markdown },
  { name: 'json', endings: ['.json'], about: 'for programs; described by report.schema.json', format: json },
];

/** The format of that name; `md` is short for markdown. */
export function formatByName(name: string): Format {
  const wanted = name.toLowerCase();
  const found = FORMATS.find(format => format.name === wanted || format.endings.includes(`.${wanted}`));
  if (found) return found.format;
  throw new UserError(
    `unknown format ${JSON.stringify(name)}`,
    `formats: ${FORMATS.map(format => format.name).join(', ')}`,
  );
}

/** The format that a file's ending asks for. */
export function formatByFile(file: string): Format {
  const wanted = file.toLowerCase();
  const found = FORMATS.find(({ endings }) => endings.some(ending => wanted.endsWith(ending)));
  if (found) return found.format;
  const endings = FORMATS.flatMap(format => format.endings);
  throw new UserError(
    `cannot tell the format of ${JSON.stringify(file)}: its ending is none of ${endings.join(', ')}`,
    'name the file with one of these endings',
  );
}
