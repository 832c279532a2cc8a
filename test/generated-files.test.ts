import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { generatedFiles } from '../src/app/generated-files.ts';

const ROOT = join(import.meta.dirname, '..');

test.each([...generatedFiles()])('%s says what the code says (npm run generate)', (path, text) => {
  expect(readFileSync(join(ROOT, path), 'utf8')).toBe(text);
});
