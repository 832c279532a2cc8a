import type { RawObject, Secret } from '../../model/source.ts';

/** One object storage configuration, read as Thanos reads it. */
export interface StoreConfig {
  readonly type: string;
  readonly bucket: string;
  /** As written: host[:port]. */
  readonly endpoint: string;
  readonly host: string;
  /** 0 where none is written. */
  readonly port: number;
  readonly effectivePort: number;
  readonly insecure: boolean;
  readonly region: string;
  /** Without slashes at its ends. */
  readonly prefix: string;
  readonly access: Secret;
  readonly secret: Secret;
  readonly signatureV2: boolean;
  readonly awsSdkAuth: boolean;
  readonly caFile: string;
  readonly skipVerify: boolean;
  /** Name by which the certificate is checked instead of the endpoint's; '' for none. */
  readonly serverName: string;
  readonly unknownFields: readonly string[];
  /** '' or why Thanos would refuse it: `type-missing`, `unknown-field`, `endpoint-form`, … */
  readonly fault: string;
  /** The fault in words, without any value that could be a credential. */
  readonly faultText: string;
}

export const NO_SECRET: Secret = Object.freeze({ set: false, fingerprint: '', edgeSpace: false });

/** Providers that Thanos' object storage client knows; names are compared without case. */
const TYPES = new Set(['S3', 'GCS', 'AZURE', 'SWIFT', 'COS', 'ALIYUNOSS', 'BOS', 'FILESYSTEM', 'OCI', 'OBS']);

const TOP = new Set(['type', 'config', 'prefix']);

const S3_FIELDS = new Set(
  `bucket endpoint region disable_dualstack aws_sdk_auth access_key secret_key session_token insecure
  signature_version2 put_user_metadata http_config trace list_objects_version bucket_lookup_type send_content_md5
  disable_multipart part_size sse_config sts_endpoint max_retries`.split(/\s+/),
);

const HTTP_FIELDS = new Set(
  `idle_conn_timeout response_header_timeout insecure_skip_verify tls_handshake_timeout expect_continue_timeout
  max_idle_conns max_idle_conns_per_host max_conns_per_host tls_config disable_compression`.split(/\s+/),
);

const TLS_FIELDS = new Set(['ca_file', 'cert_file', 'key_file', 'server_name', 'insecure_skip_verify']);

/** Reads a parsed configuration. Never throws: what Thanos would refuse is its `fault`. */
export function readStoreConfig(document: RawObject): StoreConfig {
  const config = mapping(document?.config);
  const http = mapping(config.http_config);
  const tls = mapping(http.tls_config);
  const endpoint = word(config.endpoint);
  const insecure = truth(config.insecure);
  const { host, port } = splitEndpoint(endpoint);
  const unknownFields = unknownIn(document, config, http, tls);
  const read = {
    type: word(document?.type).toUpperCase(),
    bucket: word(config.bucket),
    endpoint,
    host,
    port,
    effectivePort: port || (insecure ? 80 : 443),
    insecure,
    region: word(config.region),
    prefix: word(document?.prefix).replace(/^\/+|\/+$/g, ''),
    access: credential(config.access_key),
    secret: credential(config.secret_key),
    signatureV2: truth(config.signature_version2),
    awsSdkAuth: truth(config.aws_sdk_auth),
    caFile: word(tls.ca_file),
    skipVerify: truth(http.insecure_skip_verify) || truth(tls.insecure_skip_verify),
    serverName: word(tls.server_name),
    unknownFields,
  };
  return { ...read, ...faultOf(document, config, read) };
}

type Read = Omit<StoreConfig, 'fault' | 'faultText'>;

function faultOf(document: RawObject, config: RawObject, read: Read): { fault: string; faultText: string } {
  const fault = (id: string, words: string) => ({ fault: id, faultText: words });
  if (typeof document !== 'object' || document === null || Array.isArray(document)) {
    return fault('yaml', 'it is no YAML mapping');
  }
  const kubernetes = ['apiVersion', 'kind', 'metadata'].filter(key => key in document);
  if (kubernetes.length > 0)
    return fault('manifest-pasted', 'it is a Kubernetes manifest, not the configuration itself');
  if (read.type === '') return fault('type-missing', 'it has no type');
  if (!TYPES.has(read.type)) return fault('type-unknown', `its type ${read.type} is none that Thanos knows`);
  if (read.unknownFields.length > 0) {
    return fault('unknown-field', `it has fields that Thanos does not know: ${read.unknownFields.join(', ')}`);
  }
  if (read.type !== 'S3') return fault('', '');
  if (read.endpoint === '') return fault('endpoint-form', 'it names no endpoint');
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(read.endpoint)) {
    return fault('endpoint-form', 'its endpoint begins with a scheme; Thanos wants host:port alone');
  }
  if (read.endpoint.includes('/'))
    return fault('endpoint-form', 'its endpoint has a path; Thanos wants host:port alone');
  if (read.bucket === '') return fault('bucket-empty', 'it names no bucket');
  if (read.access.set !== read.secret.set) {
    return fault(
      'credentials-half',
      `it has ${read.access.set ? 'access_key without secret_key' : 'secret_key without access_key'}`,
    );
  }
  if (read.awsSdkAuth && read.access.set) return fault('auth-exclusive', 'it has both aws_sdk_auth and access_key');
  const wrong = wrongValue(config);
  return wrong ? fault('value', wrong) : fault('', '');
}

function wrongValue(config: RawObject): string {
  const lookup = word(config.bucket_lookup_type);
  if (!['', 'auto', 'path', 'virtual-hosted'].includes(lookup)) return `its bucket_lookup_type is ${lookup}`;
  const version = word(config.list_objects_version);
  if (!['', 'v1', 'v2'].includes(version)) return `its list_objects_version is ${version}`;
  const encryption = word(mapping(config.sse_config).type);
  if (!['', 'SSE-S3', 'SSE-KMS', 'SSE-C'].includes(encryption)) return `its sse_config.type is ${encryption}`;
  const switches = ['insecure', 'signature_version2', 'aws_sdk_auth', 'disable_multipart', 'disable_dualstack'];
  const odd = switches.find(key => !isTruth(config[key]));
  return odd ? `${odd} is neither true nor false` : '';
}

function unknownIn(document: RawObject, config: RawObject, http: RawObject, tls: RawObject): readonly string[] {
  const top = Object.keys(mapping(document)).filter(key => !TOP.has(key));
  if (word(document?.type).toUpperCase() !== 'S3') return top;
  return [
    ...top,
    ...Object.keys(config)
      .filter(key => !S3_FIELDS.has(key))
      .map(key => `config.${key}`),
    ...Object.keys(http)
      .filter(key => !HTTP_FIELDS.has(key))
      .map(key => `config.http_config.${key}`),
    ...Object.keys(tls)
      .filter(key => !TLS_FIELDS.has(key))
      .map(key => `config.http_config.tls_config.${key}`),
  ];
}

/** Host and port of `host`, `host:port`, `[v6]:port`; a scheme and a path, wrong as they are, are left out. */
export function splitEndpoint(endpoint: string): { readonly host: string; readonly port: number } {
  const bare = endpoint
    .replace(/^[a-z][a-z0-9+.-]*:\/\//i, '')
    .split('/')[0]!
    .toLowerCase();
  const match = /^(\[[^\]]*\]|[^:]*)(?::([0-9]+))?$/.exec(bare);
  return { host: match?.[1] ?? bare, port: Number(match?.[2] ?? 0) };
}

function mapping(value: unknown): RawObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {};
}

function word(value: unknown): string {
  return typeof value === 'string'
    ? value
    : typeof value === 'number' || typeof value === 'boolean'
      ? String(value)
      : '';
}

/** YAML's booleans, and the words that Go's YAML takes for a boolean field. */
function isTruth(value: unknown): boolean {
  return value === undefined || value === null || typeof value === 'boolean' || /^(?:true|false)$/i.test(String(value));
}

function truth(value: unknown): boolean {
  return value === true || (typeof value === 'string' && value.toLowerCase() === 'true');
}

function credential(value: unknown): Secret {
  const given = mapping(value);
  if (typeof given.set !== 'boolean') return NO_SECRET;
  return { set: given.set, fingerprint: word(given.fingerprint), edgeSpace: given.edgeSpace === true };
}
