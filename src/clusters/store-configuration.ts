import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseAllDocuments,
  type Scalar,
} from 'yaml';
import type { RawObject, Secret } from '../model/source.ts';
import type { Fingerprint } from './fingerprint.ts';

/** An object storage configuration: for others without its credentials, for the bucket verbs with them. */
export interface ParsedStore {
  /** Every credential replaced by a `Secret`; null where `error` says why not. */
  readonly config: RawObject | null;
  /** '' or `invalid: …`, without a piece of the text in it. */
  readonly error: string;
  /** As it was written. Never leaves the source. */
  readonly whole: RawObject | null;
}

/** Fields of any provider's configuration that hold a credential. */
const CREDENTIAL =
  /^(?:access_key(?:_id|_secret)?|accesskey(?:id|secret)?|secret_key|secretkey|secret_id|session_token|security_token|password|passphrase|private_?key|storage_account_key|storage_connection_string|client_secret|application_credential_secret|service_account|token|bearer_token|credentials|encryption_key)$/i;

/** Parses an object storage configuration as Thanos does: the first document, no name twice, credentials taken out. */
export function parseStore(
  text: string,
  fingerprint: Fingerprint,
  clean: (text: string) => string,
  onCredential: (value: string) => void = () => {},
): ParsedStore {
  const lines = new LineCounter();
  // Without pretty errors: they quote the text.
  const documents = parseAllDocuments(text, { lineCounter: lines, prettyErrors: false });
  const document = Array.isArray(documents) ? documents[0] : undefined;
  if (!document?.contents) return refused('the document is empty');
  const [error] = document.errors;
  if (error) {
    return refused(`${error.code.toLowerCase().replaceAll('_', ' ')} in line ${lines.linePos(error.pos[0]).line}`);
  }
  if (!isMap(document.contents)) return refused('the document is no mapping');
  try {
    const whole = document.toJS({ maxAliasCount: 100 });
    const noted = (value: string) => {
      onCredential(value);
      return fingerprint(value);
    };
    return {
      config: withoutCredentials(document.contents, noted, clean, document as Document),
      error: '',
      whole,
    };
  } catch {
    return refused('an alias leads nowhere, or to too much');
  }
}

function refused(why: string): ParsedStore {
  return { config: null, error: `invalid: ${why}`, whole: null };
}

function withoutCredentials(
  node: unknown,
  fingerprint: Fingerprint,
  clean: (text: string) => string,
  document: Document,
): RawObject {
  if (isMap(node)) {
    const result: Record<string, RawObject> = {};
    for (const { key, value } of node.items) {
      const name = String(isScalar(key) ? key.value : key);
      result[name] = CREDENTIAL.test(name)
        ? secretOf(value as Node | null, fingerprint, document)
        : withoutCredentials(value, fingerprint, clean, document);
    }
    return result;
  }
  if (isAlias(node)) return withoutCredentials(node.resolve(document), fingerprint, clean, document);
  if (isSeq(node)) return node.items.map(item => withoutCredentials(item, fingerprint, clean, document));
  if (isScalar(node)) return typeof node.value === 'string' ? clean(node.value) : node.value;
  return null;
}

function secretOf(written: Node | null, fingerprint: Fingerprint, document: Document): Secret {
  const node = isAlias(written) ? (written.resolve(document) ?? null) : written;
  const value = isScalar(node) ? scalarText(node) : node === null ? '' : String(node);
  return {
    set: value !== '',
    fingerprint: value === '' ? '' : fingerprint(value),
    edgeSpace: value !== value.trim(),
  };
}

/** A key of digits is a string to Thanos: what was written counts, not the number that it looks like. */
function scalarText(scalar: Scalar): string {
  if (typeof scalar.value === 'string') return scalar.value;
  if (scalar.value === null) return '';
  return scalar.source ?? String(scalar.value);
}
