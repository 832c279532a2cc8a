import type { Format } from '../model/report.ts';
import { sweep } from './sweep.ts';

/**
 * The contract (`report.schema.json`): always the whole report, whatever the options say. What differs from run to run
 * stands last.
 */
export const json: Format = report => {
  const { run, ...rest } = sweep(report);
  return `${JSON.stringify({ ...rest, run }, null, 2)}\n`;
};
