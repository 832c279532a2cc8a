// The packages that a build holds: their licenses as one text, and a bill of materials, for whoever receives it.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The packages of esbuild's `metafile`, whose inputs are paths from `root`. Throws where one states no license. */
export function packagesIn(metafile, root) {
  const folders = new Set();
  for (const input of Object.keys(metafile.inputs)) {
    const folder = /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(input)?.[0];
    if (folder) folders.add(folder);
  }
  const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'));
  return [...folders].sort().map(folder => {
    const { name, version, license } = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'));
    if (typeof license !== 'string') throw new Error(`${name} states no license`);
    return {
      name,
      version,
      license,
      text: licenseText(join(root, folder)),
      integrity: packages[folder]?.integrity ?? '',
    };
  });
}

export function thirdPartyLicenses(packages) {
  // Many packages have the very same text: it is there once.
  const byText = new Map();
  for (const { name, version, license, text } of packages) {
    byText.set(text, [...(byText.get(text) ?? []), `${name} ${version} (${license})`]);
  }
  const sections = [...byText].map(([text, titles]) => `${[...new Set(titles)].sort().join('\n')}\n\n${text}\n`).sort();
  const head = 'thanos-doctor contains these packages, each under its own license.\n';
  return [head, ...sections].join(`\n${'-'.repeat(80)}\n\n`);
}

/** CycloneDX 1.5. The same packages give the same text: no time and no random number is in it. */
export function billOfMaterials(packages, { name, version, license }) {
  const component = {
    type: 'application',
    name,
    version,
    purl: `pkg:npm/${name}@${version}`,
    licenses: [{ expression: license }],
  };
  const byPurl = new Map(packages.map(one => [purlOf(one), one]));
  const components = [...byPurl]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([purl, one]) => ({
      type: 'library',
      'bom-ref': purl,
      name: one.name,
      version: one.version,
      purl,
      licenses: [{ expression: one.license }],
      hashes: one.integrity
        .split(' ')
        .filter(hash => hash.startsWith('sha512-'))
        .map(hash => ({
          alg: 'SHA-512',
          content: Buffer.from(hash.slice('sha512-'.length), 'base64').toString('hex'),
        })),
    }));
  const document = { bomFormat: 'CycloneDX', specVersion: '1.5', version: 1, metadata: { component }, components };
  return `${JSON.stringify(document, undefined, 2)}\n`;
}

function purlOf({ name, version }) {
  return `pkg:npm/${name.replace('@', '%40')}@${version}`;
}

function licenseText(folder) {
  const files = readdirSync(folder)
    .filter(file => /^(licen[cs]e|copying|notice)/i.test(file))
    .sort();
  const text = files.map(file => readFileSync(join(folder, file), 'utf8').replaceAll('\r', '').trim()).join('\n\n');
  return text || 'The package holds no text of its license.';
}
