import type { RawObject } from '../model/source.ts';
import type { Fingerprint } from './fingerprint.ts';

/** Takes credentials out of what was read. Each is replaced by `redacted:hmac:…`, so that equal ones stay equal. */
export interface Redactor {
  /** Free text: log lines, messages, answers of components. */
  text(text: string): string;
  /** The same of a whole body: what was JSON is JSON afterwards. */
  body(text: string): string;
  /** A log or another body as it streams, line by line. Lines without a credential pass unchanged. */
  lines(chunks: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array>;
  /**
   * A Kubernetes object, changed in place: environment values, arguments, fields named like a credential, and free
   * text where `freeText` says that some was seen. Fields that are null go. What several objects share is gone through
   * once, and what it told is told again of each.
   */
  object(
    object: RawObject,
    freeText: boolean,
    onInline?: (inline: InlineConfiguration) => void,
    shared?: SharedParts,
  ): void;
  /** A ConfigMap's values: kept with their credentials taken out, or emptied. */
  configMap(object: RawObject, keep: boolean): void;
  /** The word that stands for a credential. */
  word(value: string): string;
  /** Takes this value out wherever it stands from now on, unless it is too short or too plain to be told from a word. */
  learn(value: string): void;
}

/** Parts that several objects hold in common, each with what it told when it was gone through; undefined before that. */
export type SharedParts = Map<RawObject, readonly InlineConfiguration[] | undefined>;

/** An object storage configuration that stands in the arguments or the environment of a container. */
export interface InlineConfiguration {
  readonly container: string;
  readonly text: string;
}

// An S3 error code such as `InvalidAccessKeyId` begins a sentence, not a credential.
const CREDENTIAL_WORDS =
  '(?:pass(?:word|wd|phrase)|pwd|secret[_-]?(?:access[_-]?)?key|(?<!invalid|missing)access[_-]?key(?:[_-]?(?:id|secret))?|client[_-]?secret|(?:private|api|account|routing|service|integration|user|signing|encryption|license)[_-]?key|(?:session|access|refresh|id|auth|bearer|security)[_-]?token|connection[_-]?string|x-amz-(?:signature|credential))';

/** Names whose value is a credential whatever it looks like. */
const CREDENTIAL_NAME = new RegExp(`${CREDENTIAL_WORDS}$`, 'i');

/** Names of environment variables and flags whose value is a credential unless it plainly is something else. */
const CREDENTIAL_SETTING = new RegExp(
  `(?:${CREDENTIAL_WORDS}|token|credentials?|auth|dsn|pass)$|secret(?!.*(?:name|namespace|file|path|dir|ref|mount)s?$)`,
  'i',
);

/** How a word stands in base64, which depends on where it begins in what is encoded: three ways, without the ends. */
function inBase64(word: string): readonly string[] {
  return ['', 'x', 'xx'].map(lead => {
    const first = Math.ceil((lead.length * 8) / 6);
    const last = Math.floor(((lead.length + word.length) * 8) / 6);
    return Buffer.from(lead + word)
      .toString('base64')
      .slice(first, last);
  });
}

/** Text in base64, once or twice, that names a credential. */
const ENCODED_NAMES = ['secret_key', 'password'].flatMap(inBase64);
const ENCODED_NAME = [...ENCODED_NAMES, ...ENCODED_NAMES.flatMap(inBase64)]
  .map(stem => stem.replaceAll('+', '\\+'))
  .join('|');

/** One cheap look at a text, before anything is replaced in it: false means that there is no credential. */
const SUSPICIOUS = new RegExp(
  `${CREDENTIAL_WORDS}["'\\\\]{0,9}\\s{0,3}[:=]|--?[\\w-]{0,80}${CREDENTIAL_WORDS}\\s|(?:secret|token|credentials?|auth|signature|sig)["'\\\\]{0,9}\\s?[:=]` +
    `|(?:${CREDENTIAL_WORDS}|authorization)(?:%2[27])?%3[ad]|${ENCODED_NAME}` +
    '|-----BEGIN |LS0tLS1CRUdJTi|eyJ[A-Za-z0-9_-]{10}|\\b(?:AKIA|ASIA)[A-Z0-9]{16}|:\\/\\/[^\\s\\/"\']{1,200}@' +
    '|\\b(?:bearer|basic)\\s|authorization|hooks?\\.(?:slack|zapier)\\.com|\\/webhook|telegram\\.org\\/bot|\\/open-apis\\/bot|pagerduty\\.com\\/integration|[?&]key=',
  'i',
);

/**
 * Names in small letters, short words, numbers, addresses and times: most texts. Every pattern of `replaced` needs another
 * character, or capitals in a longer text.
 */
const PLAIN = /^(?:[a-z0-9._-]*|[\w.-]{0,15}|[0-9TZ:.+-]*)$/;

/** Values that say nothing, or that are a reference, a path, or taken out already. */
const HARMLESS =
  /^(?:|<[^>]*>|redacted:.*|\*+|x{3,}|null|nil|none|true|false|yes|no|present|\{.*|\[.*|\$\(.*|\$\{.*|\/.*|[|>][+-]?|-?[0-9]{1,4})$/i;

/** A path is harmless, but a credential may begin with a slash. */
function isHarmless(value: string): boolean {
  return HARMLESS.test(value) && !(value.startsWith('/') && looksRandom(value, 16));
}

const PRIVATE_KEY = /-----BEGIN ([A-Z0-9 ]*)PRIVATE KEY-----[\s\S]*?(?:-----END \1PRIVATE KEY-----|$)/g;
/** A private key in base64, as in a kubeconfig. A certificate is no credential. */
const ENCODED_KEY = /LS0tLS1CRUdJTi(?!BDRVJUSUZJQ0FUR)[A-Za-z0-9+/=_-]{20,}/g;
const WEB_TOKEN = /\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*)?/g;
const AWS_KEY = /\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/g;
/** Addresses to which whoever knows them may post. */
const HOOK =
  /((?:hooks\.slack\.com\/(?:services|workflows)|discord(?:app)?\.com\/api\/webhooks|webhook\.office\.com\/webhookb2|outlook\.office(?:365)?\.com\/webhook|hooks\.zapier\.com\/hooks\/catch|\/open-apis\/bot\/v2\/hook|pagerduty\.com\/integration)\/|telegram\.org\/bot)([^\s"'<>?#\\]+)/g;
/** `name=value` and `name: value` as a URL writes them. */
const IN_URL = new RegExp(
  `((?:${CREDENTIAL_WORDS}|authorization)(?:%2[27])?%3[ad](?:%20|%2[27]|\\+)*(?:(?:bearer|basic)(?:%20|\\+))?)((?:[\\w.~/=-]|%2[bf]|%3d)+)`,
  'gi',
);
const ENCODED_TEXT = /[A-Za-z0-9+/_-]{16,}={0,2}/g;
const NAMES_IN_BASE64 = new RegExp(ENCODED_NAME);
const KEY_IN_QUERY = /([?&]key=)([^\s&"'<>\\]{16,})/g;
const FLAG = new RegExp(`(--?[\\w-]{0,80}?${CREDENTIAL_WORDS}[ \\t]+)("[^"]*"|'[^']*'|[^\\s"'-][^\\s"']*)`, 'gi');
const AUTHORIZATION =
  /\b((?:(authorization)["'\\]{0,9}\s*[:=]\s*["'\\]{0,9})?(?:bearer|basic)\s+)(?!redacted:)([A-Za-z0-9._~+/=-]{8,})/gi;
const URL_PASSWORD = /([a-z][a-z0-9+.-]{1,20}:\/\/)([^\s/?#@:"'<>]*)(:[^\s/"'<>]*)?@/gi;

/** `name: value` to the end of the line, as in YAML and in headers. */
const YAML_LINE = new RegExp(
  `^([ \\t]*(?:- )?["']?[\\w.-]{0,80}?(?:${CREDENTIAL_WORDS}|credentials)["']?[ \\t]*:[ \\t]+)(\\S.*)$`,
  'gim',
);
/** A block scalar under such a name. */
const YAML_BLOCK = new RegExp(
  `^([ \\t]*)((?:- )?["']?[\\w.-]{0,80}?(?:${CREDENTIAL_WORDS}|credentials)["']?[ \\t]*:[ \\t]+[|>][+-]?[0-9]?)[ \\t]*\\n((?:\\1[ \\t]+.*(?:\\n|$)|[ \\t]*\\n)+)`,
  'gim',
);
/** `name=value`, `name="value"`, `"name":"value"`, also inside of a quoted string. */
const ASSIGNMENT = new RegExp(
  `((?<![A-Za-z0-9])[\\w.-]{0,80}?${CREDENTIAL_WORDS}(\\\\{0,8}["'])?[ \\t]{0,3}[:=][ \\t]{0,3})(?:(\\\\{0,8}["'])((?:(?!\\3)(?:\\\\.|[^\\n\\\\]))*)\\3|([^\\s"'\\\\,;&}\\])]+))`,
  'gi',
);
/** The same of vaguer names, where the value must look like a credential. */
const VAGUE_ASSIGNMENT =
  /(\b(?:secret|token|credentials?|auth|signature|sig)\\{0,8}["']?\s?[:=]\s?\\{0,8}["']?)([A-Za-z0-9+/_=.~-]{20,})/gi;

/** Whether a field of this name holds a credential. Objects have the same few names again and again. */
const namesCredential = remembered(name => CREDENTIAL_NAME.test(name));
/** The same of a variable or a flag, whose name is broader. */
const setsCredential = remembered(name => CREDENTIAL_SETTING.test(name));

function remembered(test: (name: string) => boolean): (name: string) => boolean {
  const known = new Map<string, boolean>();
  return name => {
    let answer = known.get(name);
    if (answer === undefined) {
      answer = test(name);
      if (known.size >= REMEMBERED) known.clear();
      known.set(name, answer);
    }
    return answer;
  };
}

/** Characters; texts of at most so many are remembered as clean, and so many of them. */
const LONGEST_REMEMBERED = 200;
const REMEMBERED = 20_000;

export function createRedactor(fingerprint: Fingerprint): Redactor {
  const word = (value: string) => `redacted:${fingerprint(value)}`;
  const wordUnlessHarmless = (value: string) => (isHarmless(value) ? value : word(unquoted(value)));

  const learned = new Set<string>();

  /** Texts that were found clean: objects repeat the same few, and a look costs less than a search. */
  const cleanTexts = new Set<string>();

  function text(input: string): string {
    if (PLAIN.test(input)) return withoutLearned(input);
    if (input.length > LONGEST_REMEMBERED) return searched(input);
    if (cleanTexts.has(input)) return input;
    const output = searched(input);
    if (output === input) {
      if (cleanTexts.size >= REMEMBERED) cleanTexts.clear();
      cleanTexts.add(input);
    }
    return output;
  }

  function searched(input: string): string {
    return withoutLearned(SUSPICIOUS.test(input) ? replaced(input) : input);
  }

  function withoutLearned(input: string): string {
    let output = input;
    for (const value of learned) if (output.includes(value)) output = output.replaceAll(value, word(value));
    return output;
  }

  function learn(value: string): void {
    if (value.length < 8 || !/[0-9A-Z+/=]/.test(value) || isHarmless(value)) return;
    learned.add(value);
    cleanTexts.clear();
  }

  function mayHold(bytes: Buffer): boolean {
    if (SUSPICIOUS.test(bytes.toString('latin1'))) return true;
    for (const value of learned) if (bytes.includes(value)) return true;
    return false;
  }

  function replaced(input: string): string {
    return input
      .replace(PRIVATE_KEY, key => word(key))
      .replace(ENCODED_KEY, key => word(key))
      .replace(ENCODED_TEXT, run => (NAMES_IN_BASE64.test(run) ? word(run) : run))
      .replace(IN_URL, (_, before, value) => before + wordUnlessHarmless(value))
      .replace(WEB_TOKEN, token => word(token))
      .replace(AUTHORIZATION, (whole, before, header, value) =>
        header || looksRandom(value, 8) || isBasic(value) ? before + word(value) : whole,
      )
      .replace(URL_PASSWORD, (whole, scheme, user, password) => {
        if (password) return `${scheme}${user}:${wordUnlessHarmless(password.slice(1))}@`;
        return looksRandom(user, 16) ? `${scheme}${word(user)}@` : whole;
      })
      .replace(HOOK, (_, before, value) => before + wordUnlessHarmless(value))
      .replace(KEY_IN_QUERY, (_, before, value) => before + wordUnlessHarmless(value))
      .replace(YAML_BLOCK, (_, indent, before, value) => `${indent}${before.replace(/[|>].*$/, '')}${word(value)}\n`)
      .replace(YAML_LINE, (_, before, value) => before + wholeLine(value))
      .replace(ASSIGNMENT, (_, before, quoteOfName, quote, quoted, plain) => {
        if (quote !== undefined) return before + quote + wordUnlessHarmless(quoted) + quote;
        const taken = wordUnlessHarmless(plain);
        // In JSON, what stood there was a number.
        return before + (taken !== plain && quoteOfName ? quoteOfName + taken + quoteOfName : taken);
      })
      .replace(FLAG, (_, before, value) => before + wordUnlessHarmless(value))
      .replace(VAGUE_ASSIGNMENT, (whole, before, value) => (looksRandom(value, 20) ? before + word(value) : whole))
      .replace(AWS_KEY, key => word(key));
  }

  /** The value of a YAML line; a line that goes on with other things is left to the patterns after it. */
  function wholeLine(value: string): string {
    if (isHarmless(unquoted(value))) return value;
    const quoted = /^(["'])([^"']*)\1$/.exec(value);
    if (quoted) return quoted[1] + word(quoted[2]!) + quoted[1];
    return /^["']/.test(value) || (/\s/.test(value) && /[:=]/.test(value)) ? value : word(value);
  }

  /** JSON stays JSON. */
  function body(input: string): string {
    const output = text(input);
    if (output === input || !/^\s*[[{]/.test(input) || isJson(output)) return output;
    try {
      const value = [JSON.parse(input)];
      object(value, true);
      return JSON.stringify(value[0]);
    } catch {
      return output;
    }
  }

  async function* lines(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    let rest: Uint8Array[] = [];
    let insideKey = false;
    const clean = (bytes: Buffer): Uint8Array => {
      if (!insideKey && !mayHold(bytes)) return bytes;
      const input = bytes.toString('utf8');
      const kept: string[] = [];
      for (const line of input.split('\n')) {
        if (insideKey) {
          if (/-----END [A-Z0-9 ]*PRIVATE KEY-----/.test(line)) insideKey = false;
          continue;
        }
        const begins = /-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----/.test(line);
        insideKey = begins && !/-----END [A-Z0-9 ]*PRIVATE KEY-----/.test(line);
        kept.push(text(line));
      }
      return Buffer.from(kept.join('\n') + (input.endsWith('\n') && kept.at(-1) !== '' ? '\n' : ''));
    };
    for await (const chunk of chunks) {
      const end = chunk.lastIndexOf(0x0a);
      if (end < 0) {
        rest.push(chunk);
        continue;
      }
      const whole =
        rest.length === 0 ? chunk.subarray(0, end + 1) : Buffer.concat([...rest, chunk.subarray(0, end + 1)]);
      rest = end + 1 < chunk.length ? [chunk.subarray(end + 1)] : [];
      yield clean(Buffer.from(whole.buffer, whole.byteOffset, whole.byteLength));
    }
    if (rest.length > 0) yield clean(Buffer.concat(rest));
  }

  function object(
    value: RawObject,
    freeText: boolean,
    onInline?: (inline: InlineConfiguration) => void,
    shared?: SharedParts,
  ): void {
    let tell = onInline;
    const annotations = value?.metadata?.annotations;
    if (annotations?.[LAST_APPLIED] !== undefined) annotations[LAST_APPLIED] = 'present';
    walk(value);

    function walk(node: RawObject): void {
      for (const key in node) {
        const child = node[key];
        if (child === null) {
          if (Array.isArray(node)) continue;
          delete node[key];
        } else if (typeof child === 'object') {
          if (key === 'args' || key === 'command' || key === 'env') containerField(node, key, child);
          else if (key === 'additionalArgs' && Array.isArray(child)) child.forEach(namedValue);
          if (shared?.has(child)) walkShared(child, shared);
          else walk(child);
        } else if (typeof child === 'string' && child.length > 0) {
          node[key] = key === 'caBundle' ? CA_BUNDLE : redactedField(key, child);
        } else if (typeof child === 'number' && child > 9999 && namesCredential(key)) {
          node[key] = word(String(child));
        }
      }
    }

    function walkShared(part: RawObject, parts: SharedParts): void {
      let told = parts.get(part);
      if (!told) {
        const found: InlineConfiguration[] = [];
        tell = inline => found.push(inline);
        walk(part);
        tell = onInline;
        told = found;
        parts.set(part, told);
      }
      if (onInline) told.forEach(onInline);
    }

    function redactedField(key: string, child: string): string {
      if (namesCredential(key) && !isHarmless(child)) return word(child);
      return freeText ? text(child) : child;
    }

    function containerField(container: RawObject, key: string, list: RawObject): void {
      if (!Array.isArray(list)) return;
      const name = typeof container.name === 'string' ? container.name : '';
      const remember = (inline: string) => tell?.({ container: name, text: inline });
      if (key === 'env') {
        for (const entry of list) {
          if (typeof entry?.value === 'string' && looksLikeStore(entry.value)) {
            remember(entry.value);
            entry.value = word(entry.value);
          } else namedValue(entry);
        }
      } else commandLine(list, remember);
    }
  }

  /** `{name, value}` of an environment variable or an additional argument. */
  function namedValue(entry: RawObject): void {
    if (typeof entry?.value !== 'string' || typeof entry.name !== 'string') return;
    entry.value = setting(entry.name, entry.value);
  }

  function setting(name: string, value: string): string {
    if (looksLikeStore(value)) return word(value);
    if (setsCredential(name) && !isPlainlyNoCredential(value)) return word(value);
    return text(value);
  }

  /** Arguments in place: `--flag=value` and `--flag value`. */
  function commandLine(list: RawObject[], remember: (inline: string) => void): void {
    let flag = '';
    for (const [index, argument] of list.entries()) {
      if (typeof argument !== 'string') continue;
      const match = /^--?([\w.-]+)=([\s\S]*)$/.exec(argument);
      // A credential may begin with a dash; a flag is in small letters.
      const isFlag = setsCredential(flag) ? /^--?[a-z][a-z0-9.-]*$/.test(argument) : argument.startsWith('-');
      const name = match?.[1] ?? (isFlag ? '' : flag);
      const value = match?.[2] ?? (name ? argument : undefined);
      flag = match ? '' : (/^--?([\w.-]+)$/.exec(argument)?.[1] ?? '');
      if (value === undefined || name === '') {
        list[index] = text(argument);
        continue;
      }
      if (looksLikeStore(value)) remember(value);
      list[index] = (match ? argument.slice(0, argument.length - value.length) : '') + setting(name, value);
    }
  }

  function configMap(map: RawObject, keep: boolean): void {
    for (const field of ['data', 'binaryData']) {
      const values = map[field];
      for (const key in values ?? {}) {
        if (!keep || field === 'binaryData') values[key] = '';
        else values[key] = withoutSecureFields(key, String(values[key] ?? ''));
      }
    }
  }

  function withoutSecureFields(key: string, value: string): string {
    if (namesCredential(key) && !isHarmless(value)) return word(value);
    return text(secureJsonData(value));
  }

  /** Grafana's `secureJsonData`: every value under it is a credential, whatever its name is. */
  function secureJsonData(value: string): string {
    return value
      .replace(/^([ \t]*(?:- )?)secureJsonData:[ \t]*\n((?:\1[ \t]+\S.*(?:\n|$)|[ \t]*\n)+)/gm, (_, indent, block) => {
        const lines = (block as string).split('\n').map(line => {
          const pair = /^(\s*[^\s:]+:\s*)(\S.*)$/.exec(line);
          return pair ? pair[1] + wordUnlessHarmless(pair[2]!) : line.trim() === '' ? line : `${/^\s*/.exec(line)}`;
        });
        return `${indent}secureJsonData:\n${lines.join('\n')}`;
      })
      .replace(
        /("?secureJsonData"?\s*:\s*)\{([^}]*)\}/g,
        (_, before, block) =>
          `${before}{${(block as string).replace(/(:\s*")((?:[^"\\]|\\.)*)"/g, (__, start, inner) => `${start}${wordUnlessHarmless(inner)}"`)}}`,
      );
  }

  return { text, body, lines, object, configMap, word, learn };
}

const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';

/** Base64 of `set`: that there is one matters, not which. */
const CA_BUNDLE = 'c2V0';

/** Whether a text may hold a credential; false is certain. */
export function mayHoldCredential(text: string): boolean {
  return SUSPICIOUS.test(text);
}

/** An object storage configuration as Thanos takes it, given as text. */
export function looksLikeStore(value: string): boolean {
  return (
    /bucket|container/.test(value) &&
    /(?:^|[\n{,])\s*"?type"?\s*:/.test(value) &&
    /(?:^|[\n{,])\s*"?config"?\s*:/.test(value)
  );
}

function isPlainlyNoCredential(value: string): boolean {
  return isHarmless(value) || /^https?:\/\/[^@]*$/.test(value) || /^\.{1,2}\//.test(value);
}

function unquoted(value: string): string {
  return /^(["']).*\1$/s.test(value) ? value.slice(1, -1) : value;
}

/** Long enough, and hexadecimal, or of both cases with digits or without any order: no word and no name of an object. */
function looksRandom(value: string, length: number): boolean {
  if (value.length < length) return false;
  if (/^[0-9a-f]{32,}$/i.test(value)) return true;
  if (!/[a-z]/.test(value) || !/[A-Z]/.test(value)) return false;
  if (/[0-9]/.test(value) || value.endsWith('=')) return true;
  const changes = value.match(/[a-z](?=[A-Z])|[A-Z](?=[a-z])/g)?.length ?? 0;
  return changes >= value.length * MIXED;
}

/** Changes of case in one character; words that are written together have fewer. */
const MIXED = 0.25;

/** Base64 of `user:password`. */
function isBasic(value: string): boolean {
  return /^[\x20-\x7e]+:[\x20-\x7e]+$/.test(Buffer.from(value, 'base64').toString('latin1'));
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
