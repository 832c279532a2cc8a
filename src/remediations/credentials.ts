import { Refusal } from './refusal.ts';

/** `secret_key: …`, `--password=…`, `Authorization: …`, and environment variables of such names with a value. */
const IN_CLEAR = [
  /(?:secret|access)[_-]?(?:access[_-]?)?key(?:[_-]id)?\\?["']?\s*[:=]\s*\S/i,
  /(?:passw(?:or)?d|token|authorization|api[_-]?key)\\?["']?\s*[:=]\s*\S/i,
  /"name":"[^"]*(?:PASSW|SECRET|TOKEN|CREDENTIAL|ACCESS_?KEY|API_?KEY)[^"]*","value":"[^"]/i,
  // A flag and its value as two words of a list.
  /"--?[a-z0-9._-]*(?:passw(?:or)?d|secret|token|api[_-]?key)","[^"-]/i,
  /:\/\/[^\s/:@"']*:[^\s/@"']+@/,
  /\b(?:bearer|basic)\s+[A-Za-z0-9+/=._~-]{8,}/i,
];

/** What a step changes is shown and written into the audit log: where it holds a credential in clear, there is no plan. */
export function refuseCredentials(value: unknown, where: string): void {
  const text = JSON.stringify(value) ?? '';
  if (IN_CLEAR.some(pattern => pattern.test(text)))
    throw new Refusal('no-credential-in-clear', `${where} holds credentials in clear: change it by hand`);
}
