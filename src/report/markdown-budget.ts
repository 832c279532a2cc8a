/** A part of the document, from its longest version to its shortest. */
export interface Section {
  readonly versions: readonly (readonly string[])[];
  /** What the JSON has more of, where not the longest one was taken; '' where nothing is to be said. */
  readonly leaves: string;
}

export interface Fitted {
  /** Lines of each section; none for a section that had no room. */
  readonly texts: readonly (readonly string[])[];
  /** What was shortened or left out. */
  readonly left: readonly string[];
}

/**
 * Sections within so many bytes. Earlier sections are served first; up to half of what is left is kept for the shortest
 * versions of those that follow.
 */
export function sectionsWithin(sections: readonly Section[], bytes: number): Fitted {
  const shortest = sections.map(({ versions }) => size(versions.at(-1) ?? []));
  let reserved = shortest.reduce((sum, length) => sum + length, 0);
  let room = bytes;
  const left: string[] = [];
  const texts = sections.map(({ versions, leaves }, at) => {
    reserved -= shortest[at] ?? 0;
    const kept = Math.min(reserved, room / 2);
    const [longest] = versions;
    const fitting =
      versions.find(version => size(version) + kept <= room) ??
      versions.filter(version => size(version) <= room).at(-1);
    if (fitting !== longest && leaves !== '') left.push(leaves);
    if (fitting === undefined) return [];
    room -= size(fitting);
    return fitting;
  });
  return { texts, left };
}

function size(lines: readonly string[]): number {
  return lines.reduce((sum, line) => sum + Buffer.byteLength(line) + 1, 0);
}

/** `root cause 4`, `root cause 5`, `root cause 6` as `root causes 4 to 6`. */
export function ranges(texts: readonly string[]): readonly string[] {
  const numbered = texts.map(text => /^(.*) (\d+)$/.exec(text));
  const found: string[] = [];
  for (let at = 0; at < texts.length; at += 1) {
    const [, name, first] = numbered[at] ?? [];
    let end = at;
    while (
      name !== undefined &&
      numbered[end + 1]?.[1] === name &&
      Number(numbered[end + 1]?.[2]) === Number(numbered[end]?.[2]) + 1
    )
      end += 1;
    found.push(end > at ? `${name}s ${first} to ${numbered[end]?.[2]}` : (texts[at] ?? ''));
    at = end;
  }
  return found;
}
