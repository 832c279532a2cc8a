import type { Action } from '../../model/remediation.ts';
import { ARGUMENTS_ACCESS, argumentsDraft } from '../container-flags.ts';
import { guard } from '../guards.ts';
import { secondsOf } from '../quantities.ts';
import { Refusal } from '../refusal.ts';
import { flagOf } from '../store-users.ts';
import { nameOf, targetOfKey } from '../targets.ts';

const DURATION = /^[0-9]+(?:ms|s|m|h|d|w)$/;
const ADDRESS = /^[A-Za-z0-9_+.:-]{1,253}:[0-9]{1,5}$/;
const LABEL = /^[a-zA-Z_][a-zA-Z0-9_]*$/;

/** The flags that may be changed, and what their values look like. Vertical compaction, which cannot be undone, never is. */
const FLAGS: Readonly<Record<string, { readonly value: RegExp | undefined; readonly several?: boolean }>> = {
  '--wait': { value: undefined },
  '--wait-interval': { value: DURATION },
  '--delete-delay': { value: DURATION },
  '--downsampling.disable': { value: undefined },
  '--block-sync-concurrency': { value: /^[1-9][0-9]?$/ },
  '--block-meta-fetch-concurrency': { value: /^[1-9][0-9]?$/ },
  '--query.replica-label': { value: LABEL, several: true },
  '--endpoint': { value: ADDRESS, several: true },
  '--query.auto-downsampling': { value: undefined },
  '--retention.resolution-raw': { value: DURATION },
  '--retention.resolution-5m': { value: DURATION },
};

export const action: Action = {
  id: 'thanos.set-flag',
  title: 'set one flag',
  risk: 'restart',
  parameters: { workload: 'needed', flag: 'needed', value: 'optional', how: 'optional' },
  access: ARGUMENTS_ACCESS,
  async plan(input) {
    const target = targetOfKey(input.parameters.workload);
    const { flag = '', value = '', how = 'replace' } = input.parameters;
    const known = FLAGS[flag];
    if (!known) throw new Refusal('flag-known', `${flag} is not changed by this program`);
    const written = known.value ? `${flag}=${value}` : flag;
    const title =
      how === 'remove' ? `take ${flag} away from ${nameOf(target)}` : `write ${written} for ${nameOf(target)}`;
    const isOther = (words: readonly string[], index: number) =>
      !isFlag(words[index]!, flag) && !(words[index - 1] === flag && known.value);
    return argumentsDraft(
      input,
      target,
      title,
      args => {
        if (flag.startsWith('--retention.')) neverShorter(flagOf({ args }, flag), how === 'remove' ? '' : value);
        if (how === 'add' && known.several) return args.includes(written) ? args : [...args, written];
        const rest = args.filter((_, index) => isOther(args, index));
        return how === 'remove' ? rest : [...rest, written];
      },
      [
        await guard(
          'value-as-the-rule-said',
          'the value is of the kind that the flag takes',
          () => how === 'remove' || !known.value || known.value.test(value) || `"${value}" is no value of ${flag}`,
        ),
      ],
    );
  },
};

/** `0d`, and no flag at all, keep for ever. */
function neverShorter(before: string | undefined, after: string): void {
  const [old, wanted] = [secondsOf(before ?? '0d'), secondsOf(after)];
  if (old === undefined || wanted === undefined || old === 0 || (wanted !== 0 && wanted < old))
    throw new Refusal('never-shortens-retention', `"${after}" may be shorter than "${before ?? '0d'}"`);
}

function isFlag(word: string, flag: string): boolean {
  return word === flag || word.startsWith(`${flag}=`);
}
