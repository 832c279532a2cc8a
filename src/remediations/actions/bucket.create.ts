import { parse } from 'yaml';
import type { Action, Step } from '../../model/remediation.ts';
import { storeOf, writesAllowed } from '../bucket.ts';
import { rowsOf } from '../evidence-rows.ts';
import { guard } from '../guards.ts';
import { textIn } from '../perform.ts';
import { Refusal } from '../refusal.ts';
import { existing } from '../steps.ts';
import { usersOfSecret } from '../store-users.ts';
import { nameOf, targetOfKey } from '../targets.ts';
import { undoStepsOf } from '../undo.ts';

export const action: Action = {
  id: 'bucket.create',
  title: 'create the bucket',
  risk: 'change',
  parameters: { secret: 'needed', bucket: 'needed' },
  access: [
    { verbs: ['get'], group: '', resource: 'secrets' },
    ...['statefulsets', 'deployments', 'daemonsets'].map(resource => ({ verbs: ['list'], group: 'apps', resource })),
  ],
  async plan(input) {
    const secret = targetOfKey(input.parameters.secret);
    const object = await existing(input.api, secret);
    const name = input.parameters.bucket ?? '';
    const keys = Object.keys(object.data ?? {}).filter(key => bucketIn(textIn(object, key)) === name);
    const [key] = keys;
    if (keys.length !== 1 || !key)
      throw new Refusal('one-object', `${keys.length} keys of ${nameOf(secret)} name bucket ${name}`);
    const store = storeOf(input, key);
    const steps: readonly Step[] = [
      { do: 'create-bucket', title: `create bucket ${name}, as ${nameOf(secret)} says`, target: secret, store },
    ];
    const sidecars = (await usersOfSecret(input.api, secret))
      .filter(({ component }) => component === 'sidecar')
      .map(({ target }) => nameOf(target));
    const mine = async () => (await rowsOf(input.evidence, 'thanos.store-access')).filter(row => row.bucket === name);
    return {
      steps,
      guards: [
        await writesAllowed(input),
        await guard('genuine-answer', 'the store itself says that there is none', async () => {
          const rows = await mine();
          if (rows.length === 0) return 'what the store says is not known';
          return (
            rows.some(row => row.refusal === 'NoSuchBucket' && row.refusalBy === 'answer') ||
            'that it is missing, only a log says'
          );
        }),
        await guard('never-existed', 'nothing was ever uploaded to it', async () => {
          const uploads = await rowsOf(input.evidence, 'thanos.uploads');
          const used = uploads.find(
            row => String(row.secretKey).includes(`${secret.namespace}/${secret.name}`) && row.lastUpload !== '',
          );
          return used ? `${used.pod.name} has uploaded to it: a bucket that is gone is a loss` : true;
        }),
        await guard('name-spelled-as-elsewhere', 'no bucket has nearly this name', async () => {
          const others = (await mine()).flatMap(row => row.others).map(other => String(other.bucket));
          const near = others.find(other => other !== name && distance(other, name) <= 2);
          return near ? `there is ${near}: it may be a typing error` : true;
        }),
      ],
      riskText: 'a bucket under a mistyped name would hide the mistake',
      verify: {
        what: `${input.finding.rule} is healthy${sidecars.length > 0 ? ', and the sidecars go on' : ''}`,
        seconds: 240,
        ...(sidecars.length > 0 ? { signals: [{ is: 'uploads-go-on' as const, workloads: sidecars }] } : {}),
      },
      undo: { what: 'deletes the bucket, if it is still empty', steps: undoStepsOf(steps) },
    };
  },
};

function bucketIn(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  try {
    return parse(text, { prettyErrors: false })?.config?.bucket;
  } catch {
    return undefined;
  }
}

/** Changes of one letter that lead from one name to the other. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)));
    }
    row = next;
  }
  return row[b.length]!;
}
