/** Beyond this no date can be written; Thanos uses the largest integers for "without end" and "nothing at all". */
const LARGEST = 8.64e15;

/** RFC 3339 of milliseconds since the epoch; '' for 0 and for Thanos' "without end". */
export function timeOf(milliseconds: number): string {
  if (milliseconds === 0 || Math.abs(milliseconds) > LARGEST) return '';
  return new Date(milliseconds).toISOString().replace('.000Z', 'Z');
}

const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

/** Whether it is a ULID: a block's name. */
export function isUlid(text: string): boolean {
  return /^[0-7][0-9A-HJKMNP-TV-Z]{25}$/.test(text);
}

/** Milliseconds since the epoch that a ULID begins with. */
export function ulidTime(ulid: string): number {
  let time = 0;
  for (const character of ulid.slice(0, 10)) time = time * 32 + ALPHABET.indexOf(character);
  return time;
}

/** `{a="1",b="2"}`: sorted by name, without spaces. */
export function labelText(labels: Readonly<Record<string, string>>): string {
  const pairs = Object.keys(labels)
    .sort()
    .map(name => `${name}=${JSON.stringify(labels[name])}`);
  return `{${pairs.join(',')}}`;
}
