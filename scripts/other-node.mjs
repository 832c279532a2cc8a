// Prints the path of another version of Node, installed from the npm registry once: node scripts/other-node.mjs 22
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const major = process.argv[2];
const folder = fileURLToPath(new URL(`../.cache/node-${major}/`, import.meta.url));
const name = `node-${process.platform}-${process.arch}`;
const binary = `${folder}node_modules/${name}/bin/node`;
if (!existsSync(binary)) {
  mkdirSync(folder, { recursive: true });
  const options = ['--prefix', folder, '--no-save', '--ignore-scripts', '--no-audit', '--no-fund', '--force'];
  execFileSync('npm', ['install', ...options, `${name}@${major}`], { stdio: ['ignore', 2, 2] });
}
console.log(binary);
