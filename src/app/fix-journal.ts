import { closeSync, fstatSync, fsyncSync, mkdirSync, openSync, readFileSync, readSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import type { AuditEntry, AuditLine, Journal } from '../model/remediation.ts';
import { UserError } from '../model/user-error.ts';

/** Folder of what the program remembers of its own writes: `$XDG_STATE_HOME/thanos-doctor`. */
export function stateFolder(environment: Readonly<Record<string, string | undefined>> = process.env): string {
  return join(environment.XDG_STATE_HOME || join(homedir(), '.local', 'state'), 'thanos-doctor');
}

/** The audit log: JSON lines in one file that is only ever appended to, each on the disk before anything else is done. */
export function openJournal(folder: string = stateFolder()): Journal {
  const path = join(folder, 'audit.jsonl');
  return {
    place: path,
    async append(entry: AuditEntry) {
      const line = `${JSON.stringify({ time: new Date().toISOString(), ...entry })}\n`;
      try {
        mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
        const file = openSync(path, 'a+', 0o600);
        try {
          // What a killed process left of its last line ends here, and is passed over when the log is read.
          writeFileSync(file, endsOpen(file) ? `\n${line}` : line);
          fsyncSync(file);
        } finally {
          closeSync(file);
        }
      } catch (error) {
        throw new UserError(
          `cannot write the audit log ${path}: ${(error as Error).message}`,
          'without it nothing more is changed; XDG_STATE_HOME names another place',
          'what was begun: thanos-doctor fix --resume, once it can be written again',
        );
      }
    },
    async read() {
      let text: string;
      try {
        text = readFileSync(path, 'utf8');
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
        throw new UserError(`cannot read the audit log ${path}: ${(error as Error).message}`);
      }
      return text.split('\n').flatMap(parsed);
    },
  };
}

function endsOpen(file: number): boolean {
  const { size } = fstatSync(file);
  if (size === 0) return false;
  const last = Buffer.alloc(1);
  readSync(file, last, 0, 1, size - 1);
  return last[0] !== 0x0a;
}

function parsed(line: string): readonly AuditLine[] {
  if (line === '') return [];
  try {
    return [JSON.parse(line) as AuditLine];
  } catch {
    return [];
  }
}
