import type { Action, PlanInput, Target } from '../../model/remediation.ts';
import { ARGUMENTS_ACCESS, argumentsDraft, thanosContainer } from '../container-flags.ts';
import { rowsOf } from '../evidence-rows.ts';
import { guard } from '../guards.ts';
import { secondsOf } from '../quantities.ts';
import { Refusal } from '../refusal.ts';
import { existing } from '../steps.ts';
import { flagOf } from '../store-users.ts';
import { nameOf, targetOfKey } from '../targets.ts';

const DURATION = /^[0-9]+(?:ms|s|m|h|d|w)$/;
const ADDRESS = /^[A-Za-z0-9_+.:-]{1,253}:[0-9]{1,5}$/;
const LABEL = /^[a-zA-Z_][a-zA-Z0-9_]*$/;

interface Flag {
  readonly value: RegExp | undefined;
  readonly several?: boolean;
  /** Minor version of Thanos that has it first. */
  readonly since: number;
}

/** The flags that may be changed, and what their values look like. Vertical compaction, which cannot be undone, never is. */
const FLAGS: Readonly<Record<string, Flag>> = {
  '--wait': { value: undefined, since: 1 },
  '--wait-interval': { value: DURATION, since: 13 },
  '--delete-delay': { value: DURATION, since: 12 },
  '--downsampling.disable': { value: undefined, since: 15 },
  '--block-sync-concurrency': { value: /^[1-9][0-9]?$/, since: 4 },
  '--block-meta-fetch-concurrency': { value: /^[1-9][0-9]?$/, since: 17 },
  '--query.replica-label': { value: LABEL, several: true, since: 1 },
  '--endpoint': { value: ADDRESS, several: true, since: 23 },
  '--query.auto-downsampling': { value: undefined, since: 2 },
  '--retention.resolution-raw': { value: DURATION, since: 3 },
  '--retention.resolution-5m': { value: DURATION, since: 3 },
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
        await guard('flag-known-in-that-version', 'its version knows the flag', async () => {
          if (how === 'remove') return true;
          const version = await versionOf(input, target);
          const [major = 0, minor = 0] = version.split('.').map(Number);
          if (version === '') return `which version ${nameOf(target)} is of cannot be told`;
          return major > 0 || minor >= known.since || `version ${version} does not know ${flag}`;
        }),
        await guard(
          'value-as-the-rule-said',
          'the value is of the kind that the flag takes',
          () => how === 'remove' || !known.value || known.value.test(value) || `"${value}" is no value of ${flag}`,
        ),
      ],
    );
  },
};

/** By its image, else by what it says of itself; '' where neither tells. */
async function versionOf(input: PlanInput, target: Target): Promise<string> {
  const object = await existing(input.api, target);
  const { index } = thanosContainer(target, object);
  const image = String(object.spec.template.spec.containers[index].image);
  const tagged = /:v?([0-9]+\.[0-9]+\.[0-9]+)/.exec(image)?.[1];
  if (tagged) return tagged;
  const workloads = await rowsOf(input.evidence, 'thanos.workloads');
  return workloads.find(row => row.workload.key === nameOf(target))?.version ?? '';
}

/** `0d`, and no flag at all, keep for ever. */
function neverShorter(before: string | undefined, after: string): void {
  const [old, wanted] = [secondsOf(before ?? '0d'), secondsOf(after)];
  if (old === undefined || wanted === undefined || old === 0 || (wanted !== 0 && wanted < old))
    throw new Refusal('never-shortens-retention', `"${after}" may be shorter than "${before ?? '0d'}"`);
}

function isFlag(word: string, flag: string): boolean {
  return word === flag || word.startsWith(`${flag}=`);
}
