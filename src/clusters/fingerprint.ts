import { createHmac, randomBytes } from 'node:crypto';

/** A value as `hmac:…`: equal fingerprints of one run are equal values, and nothing leads back to the value. */
export type Fingerprint = (value: string) => string;

/** Fingerprints with a key that is never kept: those of two runs cannot be compared. */
export function createFingerprint(key: Uint8Array = randomBytes(32)): Fingerprint {
  return value => `hmac:${createHmac('sha256', key).update(value).digest('hex').slice(0, 16)}`;
}
