import { createReadStream } from 'node:fs';
import { type ExplainedLog, explainLog } from '../evidence/logs/explain-log.ts';
import { LOG_COMPONENTS } from '../evidence/logs/signature-file.ts';
import { UserError } from '../model/user-error.ts';
import { builtinSignatures } from './signature-files.ts';

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EISDIR: 'it is a folder',
  EACCES: 'permission denied',
};

/** A log and what its known lines mean. */
export interface FileExplained extends ExplainedLog {
  /** Path, or `-` for standard input. */
  readonly file: string;
}

/**
 * Says what the known lines of logs mean. `component` is one of `thanos.components`, '' for any.
 * Throws a `UserError` for a file that cannot be read or a component that does not exist.
 */
export async function explainLogs(
  files: readonly string[],
  component: string,
  input: AsyncIterable<Uint8Array>,
): Promise<readonly FileExplained[]> {
  const wanted = componentNamed(component);
  const signatures = builtinSignatures();
  const explained: FileExplained[] = [];
  for (const file of files) {
    const chunks = file === '-' ? input : createReadStream(file, { highWaterMark: 1024 * 1024 });
    try {
      explained.push({
        file,
        ...(await explainLog(signatures, chunks, { component: wanted })),
      });
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      if (code === undefined) throw error;
      throw new UserError(`cannot read log ${file}: ${REASONS[code] ?? message}`);
    }
  }
  return explained;
}

/** A component as `thanos.components` calls it, '' for any. Throws a `UserError` for one that does not exist. */
export function componentNamed(component: string): string {
  const wanted = component.replace(/^thanos-/, '');
  if (component !== '' && !LOG_COMPONENTS.includes(component) && !LOG_COMPONENTS.includes(`thanos-${wanted}`)) {
    throw new UserError(`there is no component "${component}"`, `components: ${LOG_COMPONENTS.slice(1).join(', ')}`);
  }
  return wanted === 'any' ? '' : wanted;
}
