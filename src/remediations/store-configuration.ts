import { parse } from 'yaml';
import { GapSignal } from '../model/gap.ts';
import type { Draft, Guard, PlanInput, Step, Target, TextLine } from '../model/remediation.ts';
import type { RawObject } from '../model/source.ts';
import { PLAN } from './changes.ts';
import { recordOf, rowsOf } from './evidence-rows.ts';
import { guard } from './guards.ts';
import { editedText, textIn } from './perform.ts';
import { secondsOf } from './quantities.ts';
import { Refusal } from './refusal.ts';
import { existing, restartSteps, startSeconds } from './steps.ts';
import { flagOf, prometheusIn, type StoreUser, usersOfSecret } from './store-users.ts';
import { nameOf, sameTarget, targetOf, targetOfKey } from './targets.ts';
import { rolloutOf } from './workloads.ts';
import { scalarAt } from './yaml-text.ts';

/** Seconds after which a container that started is no longer in a loop of crashes. */
const SETTLED = 60;
/** Blocks of two hours, of which three have to stay while none can be uploaded. */
const SAFE_RETENTION = 6 * 3600;

/** An object storage configuration as it stands in its Secret. */
export interface StoredConfiguration {
  readonly secret: Target;
  readonly key: string;
  readonly object: RawObject;
  readonly text: string;
  /** The parsed document: `{type, config, …}`. */
  readonly document: RawObject;
}

/** Reads the Secret and key that a finding names. */
export async function readConfiguration({ api, parameters }: PlanInput): Promise<StoredConfiguration> {
  const secret = targetOfKey(parameters.secret);
  if (secret.kind !== 'Secret')
    throw new Refusal('store-parses', `the configuration does not stand in a Secret but in ${nameOf(secret)}`);
  const key = parameters.key ?? '';
  const object = await existing(api, secret);
  const text = textIn(object, key);
  if (text === undefined) throw new Refusal('store-parses', `${nameOf(secret)} has no key ${key}`);
  // What was no text would be written back as other bytes.
  if (!Buffer.from(text, 'utf8').equals(Buffer.from(object.data[key], 'base64')))
    throw new Refusal('store-parses', `key ${key} of ${nameOf(secret)} is no UTF-8 text`);
  let document: RawObject;
  try {
    document = parse(text, { prettyErrors: false });
  } catch {
    // The parser's own words may quote the text.
    throw new Refusal('store-parses', `key ${key} of ${nameOf(secret)} is no valid YAML`);
  }
  if (typeof document?.config !== 'object' || document.config === null) {
    throw new Refusal('store-parses', `key ${key} of ${nameOf(secret)} has no config`);
  }
  return { secret, key, object, text, document };
}

/** A line that sets one scalar of `config`. */
export function lineOf(stored: StoredConfiguration, name: string, after: string): TextLine {
  const path = ['config', name];
  const before = scalarAt(stored.text, path);
  return { path, ...(before === undefined ? {} : { before }), after, besides: 'endpoint' };
}

/** Changes lines of the configuration, and restarts everything that reads it, one workload after another. */
export async function configurationDraft(
  input: PlanInput,
  stored: StoredConfiguration,
  lines: readonly TextLine[],
  own: readonly Guard[],
  riskText: string,
): Promise<Draft> {
  const { secret, key, object, text } = stored;
  const edit = { key, lines };
  if (lines.every(({ before, after }) => before === after)) {
    throw new Refusal('something-to-change', `key ${key} of ${nameOf(secret)} is so already`);
  }
  editedText(text, lines);
  const users = await withoutHalted(input, await usersOfSecret(input.api, secret));
  const backup = targetOf('Secret', secret.namespace, `thanos-doctor-${PLAN}`);
  const { uid } = object.metadata;
  const restarts = users.flatMap(user => restartSteps(user.target, user.object, startSeconds(user.object)));
  const [first] = users;
  // What was not ready under the old text will not be ready under it again.
  const broken = users.filter(user => !rolloutOf(user.object).done);
  const names = users.map(({ target }) => nameOf(target));
  const sidecars = users.filter(({ component }) => component === 'sidecar').map(({ target }) => nameOf(target));
  const what = lines.map(({ path, after }) => `${path.join('.')}: ${after}`).join(', ');
  const steps: readonly Step[] = [
    { do: 'back-up', title: `keep a copy of ${nameOf(secret)} beside it, for undo`, target: secret, uid, backup },
    { do: 'edit-text', title: `write ${what} in key ${key} of ${nameOf(secret)}`, target: secret, uid, edit },
    ...restarts.map((step, index) => (step.do === 'wait' && index === 1 ? { ...step, proves: true } : step)),
  ];
  return {
    steps,
    guards: [
      ...own,
      await guard(
        'not-immutable',
        'the Secret can be changed',
        () => object.immutable !== true || `${nameOf(secret)} is immutable`,
      ),
      await guard('rolling-update', 'its users are restarted one pod at a time', () => {
        const manual = users.find(user => user.object.spec?.updateStrategy?.type === 'OnDelete');
        return manual ? `${nameOf(manual.target)} replaces its pods only when they are deleted` : true;
      }),
      await guard('local-data-lasts', 'blocks that are not uploaded survive the restarts', () => dataLasts(users)),
    ],
    riskText,
    verify: {
      what: `${input.finding.rule} and sidecar-not-uploading are healthy`,
      seconds: 600,
      rules: ['sidecar-not-uploading'],
      signals: [
        ...(users.length > 0 ? [{ is: 'runs-for' as const, workloads: names, container: '', seconds: SETTLED }] : []),
        ...(sidecars.length > 0 ? [{ is: 'uploads-go-on' as const, workloads: sidecars }] : []),
      ],
    },
    undo: {
      what: 'puts the old text back from the copy, and restarts the users again',
      steps: [
        { do: 'restore', title: `put key ${key} of ${nameOf(secret)} back`, target: secret, uid, backup, edit },
        ...restarts.filter(step => step.do !== 'wait' || !broken.some(({ target }) => sameTarget(target, step.target))),
        { do: 'delete-created', title: `delete the copy ${nameOf(backup)}`, target: backup, plan: PLAN },
      ],
    },
    notes: [
      ...(users.length === 0 ? ['nothing that reads this Secret was found: restart its users yourself'] : []),
      ...(first ? [`everything is taken back at once if ${nameOf(first.target)} does not come up with it`] : []),
      'the copy of the Secret stays in the cluster until the change is undone, or you delete it',
    ],
  };
}

/** A Compactor that halted on something else would halt again: it is left as it is. */
async function withoutHalted({ evidence }: PlanInput, users: readonly StoreUser[]): Promise<readonly StoreUser[]> {
  if (!users.some(({ component }) => component === 'compact')) return users;
  try {
    const halted = (await rowsOf(evidence, 'thanos.compactors'))
      .filter(row => row.halted && !/access|store/.test(String(row.haltClass ?? '')))
      .map(row => row.workload.key);
    return users.filter(({ target }) => !halted.includes(nameOf(target)));
  } catch (error) {
    if (error instanceof GapSignal) return users;
    throw error;
  }
}

function dataLasts(users: readonly StoreUser[]): true | string {
  for (const { object, component, target } of users) {
    if (component !== 'sidecar') continue;
    if ((object.spec?.replicas ?? 1) > 1 && (object.status?.readyReplicas ?? 0) > 1) continue;
    const retention = flagOf(prometheusIn(object), '--storage.tsdb.retention.time');
    // Without the flag, Prometheus keeps 15 days.
    const seconds = retention === undefined ? Number.POSITIVE_INFINITY : secondsOf(retention);
    if (seconds === undefined) return `the retention of ${nameOf(target)} cannot be told from "${retention}"`;
    if (seconds < SAFE_RETENTION) {
      return `${nameOf(target)} keeps its data for ${retention} only, and has no second replica that is ready`;
    }
  }
  return true;
}

/** `host` and `port` of an endpoint as it is written; `port` 0 where none is. */
export function hostAndPort(endpoint: string): { readonly host: string; readonly port: number } {
  const found = /^(.*?)(?::(\d+))?$/.exec(endpoint)!;
  return { host: found[1]!, port: Number(found[2] ?? 0) };
}

/** What the address speaks now; throws a `GapSignal` where it was not asked. */
export async function speaks({ evidence }: PlanInput, host: string, port: number): Promise<string> {
  const probe = await recordOf(evidence, 'network.probe', { endpoint: `${host}:${port}` });
  return probe.speaks || `nothing (${probe.tcp})`;
}

/** Access of every action that changes a configuration in a Secret. */
export const CONFIGURATION_ACCESS = [
  { verbs: ['get', 'patch', 'create', 'delete'], group: '', resource: 'secrets' },
  { verbs: ['get', 'list', 'patch'], group: 'apps', resource: 'statefulsets' },
  { verbs: ['get', 'list', 'patch'], group: 'apps', resource: 'deployments' },
  { verbs: ['get', 'list', 'patch'], group: 'apps', resource: 'daemonsets' },
] as const;
