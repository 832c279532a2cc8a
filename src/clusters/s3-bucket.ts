import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { connect } from 'node:net';
import { type ConnectionOptions, connect as connectTls, rootCertificates, type SecureContextOptions } from 'node:tls';
import type { S3Client, S3ClientConfig, LifecycleRule as S3LifecycleRule } from '@aws-sdk/client-s3';
import { SignatureV4 } from '@smithy/signature-v4';
import { GapSignal } from '../model/gap.ts';
import type {
  BucketAnswer,
  BucketListing,
  BucketSettings,
  LifecycleRule,
  ListedObject,
  RawObject,
} from '../model/source.ts';
import { differenceAt } from './api-server.ts';
import { type BlockCache, openBlockCache } from './block-cache.ts';
import { describesBlock, keptFields } from './block-fields.ts';
import { type BucketPage, bucketPage } from './bucket-page.ts';
import { failureGap } from './bundle-source.ts';
import type { FailureRecord } from './failure-record.ts';
import type { StoreCredentials } from './live-options.ts';
import { membersOf } from './module-members.ts';
import { openSignedGets, type SignedAnswer, type SignedGets, type SignedPlace } from './signed-get.ts';
import { classify, stopped, TransportFailure } from './transport.ts';

export interface BucketOptions {
  /** The configuration with its credentials; undefined before it was read. */
  readonly configuration: (store: string) => RawObject | undefined;
  readonly credentials: Readonly<Record<string, StoreCredentials>>;
  readonly certificateAuthority: string | undefined;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly proxyFor: (url: URL) => string;
  /** Another `host:port` to connect to, by `host:port`. */
  readonly redirect: ReadonlyMap<string, string>;
  /** Milliseconds for one request. */
  readonly timeout: number;
  readonly maxObjects: number;
  /** Folder of what was read of blocks before; without it nothing is remembered. */
  readonly cacheFolder?: string | undefined;
  readonly stop: AbortSignal;
  readonly failures: FailureRecord;
  readonly clean: (text: string) => string;
  readonly onRequest: (bytes: number) => void;
}

export interface Buckets {
  answer(store: string): Promise<BucketAnswer>;
  listing(store: string, take?: TakeObjects): Promise<BucketListing>;
  settings(store: string): Promise<BucketSettings>;
  object(store: string, key: string, listed?: ListedObject): Promise<string | null>;
  close(): void;
}

type TakeObjects = (objects: readonly ListedObject[]) => Promise<void>;

/** A client with the credentials of one configuration. */
export interface OpenBucket {
  readonly client: S3Client;
  readonly bucket: string;
  readonly endpoint: string;
  readonly prefix: string;
  /** Seconds: the store's clock less ours, by its newest answer; undefined before one told the time. */
  readonly clockDifference: () => number | undefined;
  /** Reads without the SDK's own weight; undefined before the SDK was answered, and where its way is the only one. */
  readonly signedGets: () => SignedGets | undefined;
}

/** Attempts of one request, the first included; `answer` makes none but the first. */
const ATTEMPTS = 3;
const OBJECT_BYTES = 64 * 1024 ** 2;
/** Objects that are kept of a listing that nobody takes. */
const KEPT_OBJECTS = 1_000_000;

/** Object stores, asked with the configuration's own credentials. They are only read. */
export function openBuckets(options: BucketOptions): Buckets {
  const { failures, clean, stop } = options;
  const open = new Map<string, Promise<OpenBucket>>();
  /** Of buckets that are being listed. */
  const caches = new Map<string, BlockCache>();
  /** What only the SDK reads well there: then the other way is not tried again. */
  const forSdk = new Set<string>();

  function bucketOf(store: string): Promise<OpenBucket> {
    let bucket = open.get(store);
    if (!bucket) {
      bucket = openBucket(options, store);
      open.set(store, bucket);
    }
    return bucket;
  }

  /** One request; what fails is a `BucketAnswer` where the store said so, else a recorded gap. */
  async function ask<Output>(
    store: string,
    path: string,
    send: (bucket: OpenBucket, signal: AbortSignal) => Promise<Output>,
  ): Promise<Output | BucketAnswer> {
    const bucket = await bucketOf(store);
    if (stop.aborted) throw unanswered(stopped(stop), path, store);
    options.onRequest(0);
    const limit = AbortSignal.timeout(options.timeout * ATTEMPTS);
    try {
      return await send(bucket, AbortSignal.any([stop, limit]));
    } catch (error) {
      const answer = answerOf(error as SdkError, path);
      if (answer) {
        failures.add({ path, status: answer.status, reason: answer.code, message: clean(answer.message), store });
        return { ...answer, message: clean(answer.message) };
      }
      throw unanswered(error as SdkError, path, store);
    }
  }

  function unanswered(error: SdkError, path: string, store: string): GapSignal {
    const { reason, message } = transportFailure(error, stop, options.timeout);
    const failure = { path, status: 0, reason, message: clean(message), store };
    failures.add(failure);
    return failureGap(failure);
  }

  /** What came without the SDK; undefined where nothing did, so that the SDK has to ask. */
  async function plainly(
    store: string,
    what: 'page' | 'object',
    key: string,
    query?: Readonly<Record<string, string>>,
  ): Promise<SignedAnswer | undefined> {
    const gets = (await bucketOf(store)).signedGets();
    if (!gets || stop.aborted || forSdk.has(`${what} ${store}`)) return undefined;
    options.onRequest(0);
    try {
      return await gets.get(key, query);
    } catch (error) {
      if (error instanceof TransportFailure) return undefined;
      throw error;
    }
  }

  async function pageOf(store: string, path: string, token: string | undefined): Promise<BucketPage | BucketAnswer> {
    const { prefix } = await bucketOf(store);
    const query = { 'list-type': '2', 'max-keys': '1000', prefix, ...(token ? { 'continuation-token': token } : {}) };
    const answer = await plainly(store, 'page', '', query);
    const plain = answer?.status === 200 ? bucketPage(answer.body) : undefined;
    if (answer && plain) {
      options.onRequest(answer.body.length);
      return plain;
    }
    const output = await page(store, path, token, 1000);
    if (isRefusal(output)) return output;
    if (answer && answer.status < 500) forSdk.add(`page ${store}`);
    const objects = (output.Contents ?? []).map(({ Key, Size, LastModified, ETag }) => ({
      key: Key ?? '',
      size: Size ?? 0,
      lastModified: LastModified?.toISOString() ?? '',
      ...(ETag ? { etag: ETag } : {}),
    }));
    const next = output.IsTruncated ? output.NextContinuationToken : undefined;
    if (output.IsTruncated && !next) {
      throw unanswered(new TransportFailure('truncated', 'the listing ends without a token to go on'), path, store);
    }
    return { objects, next };
  }

  async function page(store: string, path: string, token: string | undefined, size: number) {
    return ask(store, path, async ({ client, bucket, prefix }, abortSignal) => {
      const { ListObjectsV2Command } = await sdk();
      const command = new ListObjectsV2Command({
        Bucket: bucket,
        Prefix: prefix,
        ContinuationToken: token,
        MaxKeys: size,
      });
      const output = await client.send(command, { abortSignal });
      // A web page with status 200 would be read as an empty bucket.
      if (output.Name === undefined && output.KeyCount === undefined && output.IsTruncated === undefined) {
        throw Object.assign(new Error('the answer is no listing'), { name: NO_S3, $metadata: output.$metadata });
      }
      return output;
    });
  }

  return {
    async answer(store) {
      const { bucket, clockDifference } = await bucketOf(store);
      const path = `s3://${bucket}`;
      const listed = await page(store, path, undefined, 1);
      if (isRefusal(listed)) return listed;
      const difference = clockDifference();
      const head = await ask(store, path, async ({ client }, abortSignal) => {
        const { HeadBucketCommand } = await sdk();
        return client.send(new HeadBucketCommand({ Bucket: bucket }), { abortSignal });
      });
      if (isRefusal(head)) return head;
      const told = difference === undefined ? {} : { clockDifference: difference };
      return { code: '', status: 200, message: '', isS3: true, path, ...told };
    },

    async settings(store) {
      const { bucket } = await bucketOf(store);
      const path = `s3://${bucket}?lifecycle`;
      const output = await ask(store, path, async ({ client }, abortSignal) => {
        const { GetBucketLifecycleConfigurationCommand } = await sdk();
        const { Rules, $metadata } = await client.send(new GetBucketLifecycleConfigurationCommand({ Bucket: bucket }), {
          abortSignal,
        });
        // Where there are none, S3 says so with an error: a web page with status 200 would be read as none.
        if (!Rules) throw Object.assign(new Error('the answer names no rules'), { name: NO_S3, $metadata });
        return { rules: Rules };
      });
      if ('rules' in output) return { lifecycle: output.rules.map(lifecycleRule), path };
      if (output.code !== 'NoSuchLifecycleConfiguration') throw refusalGap(output);
      failures.remove(path, store);
      return { lifecycle: [], path };
    },

    async listing(store, take) {
      const { bucket, endpoint, prefix } = await bucketOf(store);
      const path = `s3://${bucket}`;
      const kept: ListedObject[] = [];
      const most = take ? options.maxObjects : Math.min(options.maxObjects, KEPT_OBJECTS);
      const cache =
        take && options.cacheFolder !== undefined
          ? openBlockCache(options.cacheFolder, { endpoint, bucket, prefix })
          : undefined;
      if (cache) caches.set(store, cache);
      let token: string | undefined;
      let count = 0;
      let before = '';
      let whole = false;
      try {
        do {
          const answer = await pageOf(store, path, token);
          if (isRefusal(answer)) throw refusalGap(answer);
          token = answer.next;
          const objects = answer.objects.slice(0, most - count);
          count += objects.length;
          if (!take) kept.push(...objects);
          else if (objects.length > 0) {
            await take(objects.map(object => remembered(cache, object)));
            // What it began with the page before this one is done, but for the last block, which may go on in this one.
            cache?.flush(before);
            before = prefix + objects.at(-1)!.key.slice(prefix.length).split('/')[0];
          }
          if (objects.length < answer.objects.length) token ??= '';
        } while (token && count < most);
        await take?.([]);
        whole = token === undefined;
      } finally {
        caches.delete(store);
        cache?.finish(whole);
      }
      return { bucket, endpoint, objects: kept, truncated: !whole, path };
    },

    async object(store, key, listed) {
      const { bucket } = await bucketOf(store);
      const path = `s3://${bucket}/${key}`;
      const answer = await plainly(store, 'object', key);
      if (answer?.status === 200) return received(answer.body, answer.headers.etag);
      const code = answer ? codeIn(answer) : '';
      if (code === 'NoSuchKey') return null;
      if (answer && code === 'AccessDenied') {
        const message = clean(/<Message>([^<]{0,300})/.exec(answer.body.toString('utf8'))?.[1] ?? '');
        const refusal = { code, status: answer.status, message, isS3: true, path };
        failures.add({ path, status: answer.status, reason: code, message, store });
        throw refusalGap(refusal);
      }
      const body = await ask(store, path, async ({ client }, abortSignal) => {
        const { GetObjectCommand } = await sdk();
        const output = await client.send(new GetObjectCommand({ Bucket: bucket, Key: key }), { abortSignal });
        if ((output.ContentLength ?? 0) > OBJECT_BYTES) {
          (output.Body as { destroy?: () => void } | undefined)?.destroy?.();
          throw new TransportFailure('truncated', `the object is longer than ${OBJECT_BYTES} bytes`);
        }
        return { text: (await output.Body?.transformToByteArray()) ?? new Uint8Array(), etag: output.ETag };
      });
      if ('text' in body) {
        if (answer && answer.status < 500) forSdk.add(`object ${store}`);
        return received(Buffer.from(body.text), body.etag);
      }
      if (body.code === 'NoSuchKey') {
        failures.remove(path, store);
        return null;
      }
      throw refusalGap(body);

      function received(bytes: Buffer, etag: string | undefined): string {
        options.onRequest(bytes.length);
        const whole = bytes.toString('utf8');
        if (!listed) return clean(whole);
        const text = clean(keptFields(whole));
        // What was changed since it was listed is not what was listed.
        if (listed.etag && etag === listed.etag) caches.get(store)?.keep(listed, text);
        return text;
      }
    },

    close() {
      for (const bucket of open.values()) {
        bucket
          .then(({ client, signedGets }) => {
            signedGets()?.close();
            client.destroy();
          })
          .catch(() => {});
      }
    },
  };

  function remembered(cache: BlockCache | undefined, object: ListedObject): ListedObject {
    const text = cache && describesBlock(object.key) ? cache.find(object) : undefined;
    return text === undefined ? object : { ...object, text: clean(text) };
  }
}

/** The error's own name in an answer of an S3 server; '' where there is none. */
function codeIn({ status, headers, body }: SignedAnswer): string {
  if (status < 400 || !/xml/.test(headers['content-type'] ?? '')) return '';
  return /<Error>[\s\S]*?<Code>([A-Za-z0-9]{1,80})<\/Code>/.exec(body.toString('utf8', 0, 4096))?.[1] ?? '';
}

/** A filter names one prefix or tag, or several of them under `And`; a rule of old has its prefix outside of it. */
function lifecycleRule({ ID, Status, Prefix, Filter, Expiration }: S3LifecycleRule): LifecycleRule {
  const { And } = Filter ?? {};
  const tags = [...(Filter?.Tag ? [Filter.Tag] : []), ...(And?.Tags ?? [])];
  return {
    id: ID ?? '',
    enabled: Status === 'Enabled',
    prefix: And?.Prefix ?? Filter?.Prefix ?? Prefix ?? '',
    tags: tags.map(({ Key }) => Key ?? ''),
    expireDays: Expiration?.Days ?? 0,
    expireDate: Expiration?.Date?.toISOString() ?? '',
  };
}

interface SdkError extends Error {
  readonly code?: string;
  readonly $metadata?: { readonly httpStatusCode?: number };
  readonly $response?: { readonly headers?: Readonly<Record<string, string>> };
}

const NO_S3 = 'NotAnS3Answer';

/** What the store itself said; undefined where no whole answer came. */
function answerOf(error: SdkError, path: string): BucketAnswer | undefined {
  const status = error.$metadata?.httpStatusCode;
  if (error instanceof TransportFailure || status === undefined) return undefined;
  const isS3 = isS3Error(error);
  const code = isS3
    ? BARE_CODES[status] && /^(?:Unknown|UnknownError|[0-9]+)$/.test(error.name)
      ? BARE_CODES[status]
      : error.name
    : NO_S3;
  return { code, status, message: isS3 ? error.message : 'the answer is not one of an S3 server', isS3, path };
}

/** A HEAD has no body to name the error: its status stands for one. */
const BARE_CODES: Readonly<Record<number, string>> = {
  301: 'PermanentRedirect',
  400: 'BadRequest',
  403: 'AccessDenied',
  404: 'NotFound',
};

function isS3Error(error: SdkError): boolean {
  const headers = error.$response?.headers ?? {};
  if (headers['x-amz-request-id'] !== undefined || headers['x-amz-id-2'] !== undefined) return true;
  return (
    error.name !== NO_S3 &&
    !/html|plain|json/.test(headers['content-type'] ?? '') &&
    !/^(?:Unknown|SyntaxError|TypeError|Error)/.test(error.name)
  );
}

function isRefusal(output: object): output is BucketAnswer {
  return 'isS3' in output;
}

function refusalGap({ status, code, message, path }: BucketAnswer): GapSignal {
  return failureGap({ path, status, reason: code, message: `${code}: ${message}` });
}

function transportFailure(error: SdkError, stop: AbortSignal, timeout: number): TransportFailure {
  if (error instanceof TransportFailure) return error;
  // The SDK calls a broken connection a TimeoutError too; that one has a code.
  if (/^(AbortError|TimeoutError)$/.test(error.name) && !/^E[A-Z]+$/.test(error.code ?? '')) {
    return new TransportFailure(
      'timeout',
      stop.aborted ? 'the run was stopped' : `no answer within ${timeout / 1000} s`,
    );
  }
  return classify(error);
}

/** Opens the store of one configuration. Throws a `GapSignal` where it cannot be used. */
export async function openBucket(options: BucketOptions, store: string): Promise<OpenBucket> {
  const document = options.configuration(store);
  if (!document) throw notAsked(`the configuration ${store} was not read`);
  const type = String(document.type ?? '').toUpperCase();
  const config = document.config ?? {};
  if (type !== 'S3') throw notAsked(`stores of type ${type || '(none)'} are not read, only those of type S3`);
  if (config.signature_version2 === true) throw notAsked('signatures of version 2 are not made here');
  const bucket = String(config.bucket ?? '');
  const endpoint = String(config.endpoint ?? '');
  const url = `${config.insecure === true ? 'http' : 'https'}://${endpoint}`;
  if (!bucket || !endpoint || !URL.canParse(url) || endpoint.includes('/')) {
    throw new GapSignal({
      reason: 'malformed',
      detail: `${store} names no usable bucket and endpoint`,
      path: `s3://${bucket}`,
    });
  }
  const { S3Client } = await sdk();
  const [agents, credentials] = await Promise.all([
    agentsFor(options, config, new URL(url)),
    credentialsFor(options, store, bucket, config),
  ]);
  const settings: S3ClientConfig = {
    endpoint: url,
    region: config.region || regionOf(endpoint),
    forcePathStyle: config.bucket_lookup_type !== 'virtual-hosted',
    followRegionRedirects: true,
    maxAttempts: ATTEMPTS,
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    requestHandler: {
      ...agents,
      connectionTimeout: Math.min(3000, options.timeout),
      socketTimeout: options.timeout,
      requestTimeout: options.timeout,
      throwOnRequestTimeout: true,
    },
    ...(credentials ? { credentials } : {}),
  };
  const prefix = String(document.prefix ?? '').replace(/^\/+|\/+$/g, '');
  const client = new S3Client(settings);
  const { clockDifference, place } = watchAnswers(client);
  let gets: SignedGets | undefined;
  const signedGets = () => {
    const at = place();
    if (at) gets ??= signedGetsAt(at, client, agents, options);
    return gets;
  };
  return { client, bucket, endpoint, prefix: prefix ? `${prefix}/` : '', clockDifference, signedGets };
}

function signedGetsAt(
  { region, ...place }: AnsweredPlace,
  { config }: S3Client,
  agents: Parameters<typeof openSignedGets>[0]['agents'],
  { timeout, stop }: BucketOptions,
): SignedGets {
  const { credentials, sha256 } = config;
  const signer = new SignatureV4({ credentials, region, service: 's3', sha256, uriEscapePath: false });
  const clockOffset = () => config.systemClockOffset;
  return openSignedGets({ place, signer, agents, clockOffset, timeout, maxBytes: OBJECT_BYTES, stop });
}

interface AnsweredPlace extends SignedPlace {
  readonly region: string;
}

/** Notes where the bucket answered, and with each answer that tells the time the store's clock against ours. */
function watchAnswers(client: S3Client) {
  let newest: number | undefined;
  let place: AnsweredPlace | undefined;
  client.middlewareStack.add(
    (next, context) => async request => {
      const sent = Date.now();
      const answer = await next(request);
      const { headers, statusCode } = answer.response as AnswerOfSdk;
      newest = differenceAt(Date.parse(headers?.date ?? ''), sent)?.difference ?? newest;
      if (context.commandName === LIST && statusCode === 200) place = placeOf(request.request as RequestOfSdk);
      return answer;
    },
    { step: 'deserialize', name: 'answers' },
  );
  return { clockDifference: () => newest, place: () => place };
}

const LIST = 'ListObjectsV2Command';

interface AnswerOfSdk {
  readonly statusCode?: number;
  readonly headers?: Readonly<Record<string, string>>;
}

interface RequestOfSdk extends SignedPlace {
  readonly headers: Readonly<Record<string, string>>;
}

/** Undefined where the request was signed in another way than that of one region. */
function placeOf({ protocol, hostname, port, path, headers }: RequestOfSdk): AnsweredPlace | undefined {
  const region = /^AWS4-HMAC-SHA256 Credential=[^,]*\/([^/,]+)\/s3\/aws4_request,/.exec(
    headers.authorization ?? '',
  )?.[1];
  return region ? { protocol, hostname, port, path: path.replace(/\/$/, ''), region } : undefined;
}

/** The SDK warns of Node 20 on standard error, once it is loaded. */
export async function sdk() {
  process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED = 'true';
  return membersOf(await import('@aws-sdk/client-s3'));
}

function notAsked(detail: string): GapSignal {
  return new GapSignal({ reason: 'not-asked', detail, path: 's3://', notLookedAt: true });
}

/** Amazon's own endpoints tell their region; for any other server the name does not matter. */
function regionOf(endpoint: string): string {
  return /^s3[.-](?:dualstack\.)?([a-z]{2}(?:-[a-z]+)+-[0-9])\.amazonaws\./.exec(endpoint)?.[1] ?? 'us-east-1';
}

async function agentsFor(options: BucketOptions, config: RawObject, url: URL) {
  const http = config.http_config ?? {};
  const tls = http.tls_config ?? {};
  const { certificateAuthority } = options;
  const pool = { keepAlive: true, maxSockets: 64 };
  const secure = {
    ...pool,
    // A CA that is given is trusted in addition to the system's, not in its place.
    ...(certificateAuthority ? { ca: [...rootCertificates, certificateAuthority] } : {}),
    ...(tls.server_name ? { servername: String(tls.server_name) } : {}),
    rejectUnauthorized: http.insecure_skip_verify !== true && tls.insecure_skip_verify !== true,
  };
  const elsewhere = options.redirect.get(`${url.hostname}:${url.port || (url.protocol === 'https:' ? 443 : 80)}`);
  if (elsewhere !== undefined) return redirectedAgents(elsewhere, pool, secure);
  const proxy = options.proxyFor(url);
  if (!proxy) return { httpAgent: new HttpAgent(pool), httpsAgent: new HttpsAgent(secure) };
  const { HttpProxyAgent, HttpsProxyAgent } = membersOf(await import('hpagent'));
  return { httpAgent: new HttpProxyAgent({ ...pool, proxy }), httpsAgent: new HttpsProxyAgent({ ...secure, proxy }) };
}

/** Agents that connect to another address, while names, certificates and signatures stay those of the endpoint. */
function redirectedAgents(elsewhere: string, pool: object, secure: SecureContextOptions) {
  const [host = '', port = ''] = elsewhere.split(':');
  const found = REDIRECT_ERRORS[elsewhere];
  const connectThere = () => {
    const socket = connect(found ? { host: '127.0.0.1', port: 1 } : { host, port: Number(port) });
    if (found) socket.destroy(Object.assign(new Error(found.message), { code: found.code }));
    return socket;
  };
  const httpAgent = new HttpAgent(pool);
  const httpsAgent = new HttpsAgent({ ...pool, ...secure });
  Object.assign(httpAgent, { createConnection: connectThere });
  Object.assign(httpsAgent, {
    createConnection: (options: ConnectionOptions) => connectTls({ ...options, socket: connectThere() }),
  });
  return { httpAgent, httpsAgent };
}

const REDIRECT_ERRORS: Readonly<Record<string, { readonly code: string; readonly message: string }>> = {
  timeout: { code: 'ETIMEDOUT', message: 'connect ETIMEDOUT' },
  unresolved: { code: 'ENOTFOUND', message: 'getaddrinfo ENOTFOUND' },
  unroutable: { code: 'EHOSTUNREACH', message: 'connect EHOSTUNREACH' },
};

/** Those given by the user, else the configuration's own, else Amazon's chain of this machine; undefined for the chain. */
async function credentialsFor(options: BucketOptions, store: string, bucket: string, config: RawObject) {
  const given = options.credentials[store] ?? options.credentials[bucket] ?? options.credentials['*'];
  if (given) return sdkCredentials(given.accessKey, given.secretKey, given.sessionToken);
  if (config.access_key && config.secret_key) {
    return sdkCredentials(String(config.access_key), String(config.secret_key), config.session_token);
  }
  const { environment } = options;
  const { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN } = environment;
  if (AWS_ACCESS_KEY_ID && AWS_SECRET_ACCESS_KEY) {
    return sdkCredentials(AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN);
  }
  if (!CHAIN.some(name => environment[name])) {
    throw notAsked(`${store} holds no credentials, and none were given for it`);
  }
  // The chain ends with the metadata address of a cloud's machine, which nobody asked to be contacted.
  process.env.AWS_EC2_METADATA_DISABLED ??= 'true';
  return undefined;
}

const CHAIN = [
  'AWS_PROFILE',
  'AWS_WEB_IDENTITY_TOKEN_FILE',
  'AWS_CONTAINER_CREDENTIALS_FULL_URI',
  'AWS_CONTAINER_CREDENTIALS_RELATIVE_URI',
];

function sdkCredentials(accessKeyId: string, secretAccessKey: string, sessionToken: unknown) {
  return { accessKeyId, secretAccessKey, ...(sessionToken ? { sessionToken: String(sessionToken) } : {}) };
}
