import { GapSignal } from '../model/gap.ts';
import type { ApiReader, Target, WriteAnswer, Writer } from '../model/remediation.ts';
import type { RawObject } from '../model/source.ts';

/** Seconds after which a holder that renews no more is taken to be gone. */
const LEASE_SECONDS = 300;

/** The Lease by which two doctors keep out of each other's way; it lies beside what is changed. */
export function leaseOf(target: Target): Target {
  return {
    group: 'coordination.k8s.io',
    resource: 'leases',
    kind: 'Lease',
    namespace: target.namespace || 'kube-system',
    name: 'thanos-doctor',
  };
}

/** Who else holds the lease now; '' where nobody does. */
export async function otherHolder(api: ApiReader, lease: Target, id: string): Promise<string> {
  return holderOf(await api.get(lease), id, Date.parse(api.now()));
}

function holderOf(lease: RawObject | undefined, id: string, now: number): string {
  const { holderIdentity = '', renewTime = '', leaseDurationSeconds = LEASE_SECONDS } = lease?.spec ?? {};
  if (!holderIdentity || holderIdentity === id) return '';
  return Date.parse(renewTime) + leaseDurationSeconds * 1000 > now ? holderIdentity : '';
}

/** Takes the lease, or takes it up again. A text says who has it, or why it cannot be had. */
export async function takeLease(writer: Writer, lease: Target, id: string, undoes: string): Promise<true | string> {
  for (let attempt = 0; attempt < 3; attempt += 1) {
    const found = await writer.get(lease);
    const holder = holderOf(found, id, Date.parse(writer.now()));
    // A plan that died and is taken back now holds nothing any more.
    if (holder && holder !== undoes) return `plan ${holder} holds the Lease ${lease.namespace}/${lease.name}`;
    const spec = { holderIdentity: id, leaseDurationSeconds: LEASE_SECONDS, renewTime: microTime(writer.now()) };
    const answer = found
      ? await writer.patch(lease, 'merge', { metadata: versionOf(found), spec }, false)
      : await writer.create(
          lease,
          { kind: 'Lease', metadata: { name: lease.name, namespace: lease.namespace }, spec },
          false,
        );
    if (answer.is === 'done') return true;
    if (answer.is === 'refused' || answer.is === 'not-found') return answer.message;
    // Of a conflict, a busy server and a broken connection, the next look tells what has become.
  }
  return `the Lease ${lease.namespace}/${lease.name} could not be taken`;
}

/** Milliseconds; several tries fit into what the lease is valid for. */
const RENEW_EVERY = 60_000;

/** A lease that is held as long as its run goes on. */
export interface HeldLease {
  /** Who has it instead, in words; '' where it is still held. Throws a `GapSignal` where that cannot be seen. */
  lostTo(): Promise<string>;
  /** Renews it where that is due. What goes wrong there, the next look at it tells. */
  renew(): Promise<void>;
}

/** The lease that was taken just now. `clock` in milliseconds. */
export function heldLease(writer: Writer, lease: Target, id: string, clock: () => number): HeldLease {
  let renewed = clock();
  async function lostTo(): Promise<string> {
    const found = await writer.get(lease);
    const { holderIdentity = '' } = found?.spec ?? {};
    if (holderIdentity && holderIdentity !== id)
      return `plan ${holderIdentity} holds the Lease ${lease.namespace}/${lease.name} now`;
    if (holderIdentity === id && clock() - renewed < RENEW_EVERY) return '';
    const now = clock();
    const taken = await takeLease(writer, lease, id, '');
    if (taken === true) renewed = now;
    return '';
  }
  return {
    lostTo,
    async renew() {
      if (clock() - renewed < RENEW_EVERY) return;
      try {
        await lostTo();
      } catch (error) {
        if (!(error instanceof GapSignal)) throw error;
      }
    },
  };
}

/** Gives the lease back, if it is ours. What goes wrong there is mended by its expiry. */
export async function giveLease(writer: Writer, lease: Target, id: string): Promise<WriteAnswer | undefined> {
  const found = await writer.get(lease);
  if (found?.spec?.holderIdentity !== id) return undefined;
  return writer.patch(lease, 'merge', { metadata: versionOf(found), spec: { holderIdentity: '' } }, false);
}

function versionOf({ metadata }: RawObject): RawObject {
  return { uid: metadata.uid, resourceVersion: metadata.resourceVersion };
}

function microTime(time: string): string {
  return time.replace(/(?:\.(\d{3}))?Z$/, (_, milliseconds = '000') => `.${milliseconds}000Z`);
}
