import { createHash } from 'node:crypto';
import type { RawObject } from '../model/source.ts';

/**
 * A made-up credential, the same for the same fingerprint: what was recorded as equal stays equal, and nothing of a
 * real credential is needed.
 */
export function madeUpCredential(fingerprint: string): string {
  return `SIMULATED${createHash('sha256').update(fingerprint).digest('hex').slice(0, 24).toUpperCase()}`;
}

/** The configuration of an object store with made-up credentials in place of the recorded fingerprints. */
export function withMadeUpCredentials(config: RawObject): RawObject {
  if (Array.isArray(config)) return config.map(withMadeUpCredentials);
  if (typeof config !== 'object' || config === null) return config;
  if (typeof config.set === 'boolean') {
    if (!config.set) return '';
    return madeUpCredential(config.fingerprint) + (config.edgeSpace ? ' ' : '');
  }
  return Object.fromEntries(Object.entries(config).map(([key, value]) => [key, withMadeUpCredentials(value)]));
}

/** Text of recorded objects with made-up credentials where the recorder took real ones out. */
export function refillCredentials(text: string): string {
  return text.replace(/redacted:(hmac:[0-9a-f]+)/g, (_, fingerprint: string) => madeUpCredential(fingerprint));
}
