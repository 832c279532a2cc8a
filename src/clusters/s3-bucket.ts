import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { connect } from 'node:net';
import { type ConnectionOptions, connect as connectTls, rootCertificates, type SecureContextOptions } from 'node:tls';
import type { S3Client, S3ClientConfig, LifecycleRule as S3LifecycleRule } from '@aws-sdk/client-s3';
import { GapSignal } from '../model/gap.ts';
import type { BucketAnswer, BucketListing, BucketSettings, LifecycleRule, RawObject } from '../model/source.ts';
import { differenceAt } from './api-server.ts';
import { failureGap } from './bundle-source.ts';
import type { FailureRecord } from './failure-record.ts';
import type { StoreCredentials } from './live-options.ts';
import { membersOf } from './module-members.ts';
import { classify, TransportFailure } from './transport.ts';

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
  readonly stop: AbortSignal;
  readonly failures: FailureRecord;
  readonly clean: (text: string) => string;
  readonly onRequest: (bytes: number) => void;
}

export interface Buckets {
  answer(store: string): Promise<BucketAnswer>;
  listing(store: string): Promise<BucketListing>;
  settings(store: string): Promise<BucketSettings>;
  object(store: string, key: string): Promise<string | null>;
  close(): void;
}

/** A client with the credentials of one configuration. */
export interface OpenBucket {
  readonly client: S3Client;
  readonly bucket: string;
  readonly endpoint: string;
  readonly prefix: string;
  /** Seconds: the store's clock less ours, by its newest answer; undefined before one told the time. */
  readonly clockDifference: () => number | undefined;
}

/** Attempts of one request, the first included; `answer` makes none but the first. */
const ATTEMPTS = 3;
const OBJECT_BYTES = 64 * 1024 ** 2;

/** Object stores, asked with the configuration's own credentials. They are only read. */
export function openBuckets(options: BucketOptions): Buckets {
  const { failures, clean, stop } = options;
  const open = new Map<string, Promise<OpenBucket>>();

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

    async listing(store) {
      const { bucket, endpoint } = await bucketOf(store);
      const path = `s3://${bucket}`;
      const objects: { key: string; size: number; lastModified: string }[] = [];
      let token: string | undefined;
      do {
        const output = await page(store, path, token, 1000);
        if (isRefusal(output)) throw refusalGap(output);
        for (const { Key, Size, LastModified } of output.Contents ?? []) {
          objects.push({ key: Key ?? '', size: Size ?? 0, lastModified: LastModified?.toISOString() ?? '' });
        }
        token = output.IsTruncated ? output.NextContinuationToken : undefined;
        if (output.IsTruncated && !token) {
          throw unanswered(new TransportFailure('truncated', 'the listing ends without a token to go on'), path, store);
        }
      } while (token && objects.length < options.maxObjects);
      return { bucket, endpoint, objects: objects.slice(0, options.maxObjects), truncated: token !== undefined, path };
    },

    async object(store, key) {
      const { bucket } = await bucketOf(store);
      const path = `s3://${bucket}/${key}`;
      const body = await ask(store, path, async ({ client }, abortSignal) => {
        const { GetObjectCommand } = await sdk();
        const output = await client.send(new GetObjectCommand({ Bucket: bucket, Key: key }), { abortSignal });
        if ((output.ContentLength ?? 0) > OBJECT_BYTES) {
          (output.Body as { destroy?: () => void } | undefined)?.destroy?.();
          throw new TransportFailure('truncated', `the object is longer than ${OBJECT_BYTES} bytes`);
        }
        return { text: (await output.Body?.transformToString('utf-8')) ?? '' };
      });
      if ('text' in body) {
        options.onRequest(Buffer.byteLength(body.text));
        return clean(body.text);
      }
      if (body.code === 'NoSuchKey') {
        failures.remove(path, store);
        return null;
      }
      throw refusalGap(body);
    },

    close() {
      for (const bucket of open.values()) bucket.then(({ client }) => client.destroy()).catch(() => {});
    },
  };
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
  const clockDifference = watchClock(client);
  return { client, bucket, endpoint, prefix: prefix ? `${prefix}/` : '', clockDifference };
}

/** Notes the store's clock against ours, with each answer that tells the time. */
function watchClock(client: S3Client): () => number | undefined {
  let newest: number | undefined;
  client.middlewareStack.add(
    next => async request => {
      const sent = Date.now();
      const answer = await next(request);
      const { headers } = answer.response as { readonly headers?: Readonly<Record<string, string>> };
      newest = differenceAt(Date.parse(headers?.date ?? ''), sent)?.difference ?? newest;
      return answer;
    },
    { step: 'deserialize', name: 'clock' },
  );
  return () => newest;
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
