import { mkdtempSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openJournal } from '../../src/app/fix-journal.ts';
import type { AuditEntry } from '../../src/model/remediation.ts';
import { UserError } from '../../src/model/user-error.ts';

const entry = (step: number): AuditEntry => ({ is: 'intent', id: 'one', step, title: 'a step', uid: '', before: null });

test.skipIf(process.platform !== 'linux')('a full disk is said before anything is changed', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'journal-'));
  symlinkSync('/dev/full', join(folder, 'audit.jsonl'));
  const failure = await openJournal(folder)
    .append(entry(0))
    .catch(error => error);
  expect(failure).toBeInstanceOf(UserError);
  expect(failure.message).toMatch(/cannot write the audit log .*ENOSPC/);
});

test('lines of several runs stay whole', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'journal-'));
  const journals = [openJournal(folder), openJournal(folder), openJournal(folder)];
  await Promise.all(journals.flatMap(journal => [1, 2, 3, 4].map(step => journal.append(entry(step)))));
  expect(await journals[0]!.read()).toHaveLength(12);
});
