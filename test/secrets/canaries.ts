import { randomBytes } from 'node:crypto';

/** A credential that nobody may ever see, and how it is written where somebody wrote it. */
export interface Canary {
  readonly kind: string;
  readonly value: string;
  /** The text that stands in a log, a message or an answer. */
  readonly written: string;
}

const randomBase64 = (bytes: number) => randomBytes(bytes).toString('base64');
/** Of both cases and with a digit, as nearly all are. */
function randomWord(bytes: number): string {
  const word = randomBytes(bytes).toString('base64url');
  return /[a-z]/.test(word) && /[A-Z]/.test(word) && /[0-9]/.test(word) ? word : randomWord(bytes);
}

/** Ways in which credentials get into text, each with a new one. `$` is the credential. */
const KINDS: Readonly<Record<string, readonly [make: () => string, written: string]>> = {
  'S3 secret in YAML': [() => randomBase64(30), '    secret_key: $'],
  'S3 secret as a pair': [() => randomBase64(30), 'aws_secret_access_key=$'],
  'S3 secret in JSON': [() => randomBase64(30), '{"secret_key":"$"}'],
  'S3 secret in quoted JSON': [() => randomBase64(30), 'body="{\\"secret_key\\":\\"$\\"}"'],
  'AWS key': [() => `AKIA${randomBytes(8).toString('hex').toUpperCase()}`, 'credential $ was refused'],
  'access key': [() => randomWord(15), 'access_key="$"'],
  'bearer token': [() => randomWord(24), 'Authorization: Bearer $'],
  'bearer token in JSON': [() => randomWord(24), '{"headers":{"Authorization":"Bearer $"}}'],
  'web token': [() => `eyJ${randomWord(18)}.${randomWord(30)}.${randomWord(24)}`, 'the token $ has expired'],
  'basic authentication': [() => Buffer.from(`admin:${randomWord(18)}`).toString('base64'), 'authorization: basic $'],
  'password in a URL': [() => randomWord(15), 'Get "https://admin:$@grafana.example.org/api": EOF'],
  'token in a URL': [() => randomWord(24), 'Post "https://example.org/hook?access_token=$&x=1": EOF'],
  'signature in a URL': [
    () => randomBytes(32).toString('hex'),
    'Get "https://s3.example.org/b/o?X-Amz-Signature=$": 403',
  ],
  'password as a flag': [() => randomWord(15), 'started with --web.auth-password=$ --log.level=info'],
  'password as a pair': [() => randomWord(15), 'password=$ user=admin'],
  'Slack hook': [() => randomWord(18), 'Post "https://hooks.slack.com/services/T0A1B2C3/B4D5E6F7/$": timeout'],
  'Discord hook': [() => randomWord(45), 'Post "https://discord.com/api/webhooks/1183746152839/$": timeout'],
  'Teams hook': [
    () => randomWord(30),
    'Post "https://acme.webhook.office.com/webhookb2/$/IncomingWebhook/x/y": timeout',
  ],
  'Telegram bot': [() => `${randomWord(26)}`, 'Post "https://api.telegram.org/bot5183746152:$/sendMessage": timeout'],
  'PagerDuty key': [() => randomBytes(16).toString('hex'), 'routing_key: $'],
  'Opsgenie key': [() => randomWord(27), 'api_key: $'],
  'Grafana password': [() => randomWord(12), 'GF_SECURITY_ADMIN_PASSWORD=$'],
  'kubeconfig token': [() => randomWord(24), '    token: $'],
  'kubeconfig key': [() => `LS0tLS1CRUdJTi${randomBase64(90)}`, '    client-key-data: $'],
};

export function newCanaries(): readonly Canary[] {
  return Object.entries(KINDS).map(([kind, [make, written]]) => {
    const value = make();
    return { kind, value, written: written.replace('$', () => value) };
  });
}

/** A private key over several lines, as tools print it. */
export function newPrivateKey(): Canary {
  const lines = [randomBase64(48), randomBase64(48), randomBase64(48)];
  return {
    kind: 'private key',
    value: lines[1]!,
    written: ['-----BEGIN RSA PRIVATE KEY-----', ...lines, '-----END RSA PRIVATE KEY-----'].join('\n'),
  };
}

/** So many characters of a credential are too many to be seen. */
const TELLING = 10;

/** Parts of a credential, in the forms in which it may be written. Any longer piece of it holds one of them. */
function partsOf(value: string): readonly string[] {
  const parts: string[] = [];
  for (const whole of [value, encodeURIComponent(value), JSON.stringify(value).slice(1, -1)]) {
    for (let at = 0; at + TELLING <= whole.length; at += 3) parts.push(whole.slice(at, at + TELLING));
  }
  // Base64 of a text depends on where it begins in the text around it: three ways, without the ends.
  for (const lead of ['', 'x', 'xx'])
    parts.push(
      Buffer.from(lead + value)
        .toString('base64')
        .slice(4, 4 + TELLING),
    );
  return parts;
}

/** Finds what stands of canaries in a text, and says where. */
export function lookout(canaries: readonly Canary[]): (text: string) => readonly string[] {
  const parts = new Map(canaries.flatMap(({ kind, value }) => partsOf(value).map(part => [part, kind] as const)));
  return text => {
    const seen: string[] = [];
    for (let at = 0; at + TELLING <= text.length; at += 1) {
      const kind = parts.get(text.slice(at, at + TELLING));
      if (kind === undefined) continue;
      seen.push(`${kind}: …${text.slice(Math.max(0, at - 60), at + 50).replaceAll('\n', '⏎')}…`);
      at += 100;
    }
    return seen;
  };
}
