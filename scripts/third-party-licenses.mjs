// The licenses of the packages that a build holds, as one text for whoever receives it.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** `metafile` is esbuild's; its inputs are paths from `root`. Throws where a package states no license. */
export function thirdPartyLicenses(metafile, root) {
  const folders = new Set();
  for (const input of Object.keys(metafile.inputs)) {
    const folder = /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(input)?.[0];
    if (folder) folders.add(folder);
  }
  // Many packages have the very same text: it is there once.
  const byText = new Map();
  for (const folder of folders) {
    const { title, text } = packageAt(join(root, folder));
    byText.set(text, [...(byText.get(text) ?? []), title]);
  }
  const sections = [...byText].map(([text, titles]) => `${[...new Set(titles)].sort().join('\n')}\n\n${text}\n`).sort();
  const head = 'thanos-doctor contains these packages, each under its own license.\n';
  return [head, ...sections].join(`\n${'-'.repeat(80)}\n\n`);
}

function packageAt(folder) {
  const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  if (typeof license !== 'string') throw new Error(`${name} states no license`);
  const files = readdirSync(folder)
    .filter(file => /^(licen[cs]e|copying|notice)/i.test(file))
    .sort();
  const text = files.map(file => readFileSync(join(folder, file), 'utf8').replaceAll('\r', '').trim()).join('\n\n');
  return { title: `${name} ${version} (${license})`, text: text || 'The package holds no text of its license.' };
}
