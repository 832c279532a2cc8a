import { parse } from 'yaml';
import { GapSignal } from '../model/gap.ts';
import type { Permission, StoreKey, Target, WriteAnswer, Writer } from '../model/remediation.ts';
import type { RawObject } from '../model/source.ts';
import { type ApiRequest, openApiServer, statusObject } from './api-server.ts';
import { createFailureRecord } from './failure-record.ts';
import { createFingerprint } from './fingerprint.ts';
import { type LiveClusterOptions, RETRY, TIMEOUTS } from './live-options.ts';
import { contextOf } from './live-source.ts';
import { proxyFor } from './proxy-environment.ts';
import { createRedactor } from './redact.ts';
import { type OpenBucket, openBucket, sdk } from './s3-bucket.ts';
import { openTransport, type TransportAnswer } from './transport.ts';
import { userCredentials } from './user-credentials.ts';

const MANAGER = 'thanos-doctor';
const PATCH_TYPES = { merge: 'application/merge-patch+json', json: 'application/json-patch+json' } as const;
/** What the API server says of a JSON patch whose `test` failed. */
const FAILED_TEST = 'rejected our request due to an error in our request';
/** What it says of a merge patch with another uid. */
const OTHER_UID = 'metadata.uid: Invalid value';
const LIST_LIMIT = 500;

/**
 * Opens a live cluster for changing it: the only place of the program that writes to one. Nothing is asked of it yet.
 * Throws a `UserError` where the kubeconfig cannot be used.
 */
export async function openLiveWriter(options: LiveClusterOptions): Promise<Writer> {
  const environment = options.environment ?? process.env;
  const context = await contextOf(options);
  const timeouts = { ...TIMEOUTS, ...options.timeouts };
  const redactor = createRedactor(options.fingerprint ?? createFingerprint());
  const failures = createFailureRecord();
  const stop = options.signal ?? new AbortController().signal;
  const credentials = await userCredentials(context, environment, options.impersonate, stop);
  const proxyOf = (url: URL) => proxyFor(url, environment);
  const transport = await openTransport({
    base: context.server,
    ca: context.tls.ca,
    serverName: context.tls.serverName,
    verify: context.tls.verify,
    proxy: context.proxyUrl || proxyOf(context.server),
    stop,
  });
  const retry = { ...RETRY, ...options.retry };
  const api = openApiServer({
    context: context.name,
    transport,
    credentials,
    failures,
    redactor,
    timeouts,
    retry,
    stop,
  });
  const versions = new Map<string, Promise<string>>();
  const buckets = new Map<string, Promise<OpenBucket>>();

  /** `/apis/GROUP/VERSION` of the version that serves the resource, the preferred one first. */
  function rootOf(group: string, resource: string): Promise<string> {
    if (group === '') return Promise.resolve('/api/v1');
    const key = `${group}/${resource}`;
    const known = versions.get(key);
    if (known) return known;
    const found = findRoot(group, resource);
    versions.set(key, found);
    found.catch(() => versions.delete(key));
    return found;
  }

  async function findRoot(group: string, resource: string): Promise<string> {
    const path = `/apis/${group}`;
    const document = await api.json({ path });
    const names = [document.preferredVersion, ...(document.versions ?? [])].map(entry => String(entry?.version ?? ''));
    for (const version of new Set(names.filter(Boolean))) {
      const served = await api.json({ path: `${path}/${version}` });
      if ((served.resources ?? []).some((entry: RawObject) => entry.name === resource)) return `${path}/${version}`;
    }
    throw new GapSignal({ reason: 'not-installed', detail: `the server has no ${resource} of ${group}`, path });
  }

  async function pathOf(target: Target, subresource = target.subresource ?? ''): Promise<string> {
    const { group, resource, namespace, name } = target;
    const root = await rootOf(group, resource);
    const place = namespace ? `${root}/namespaces/${encodeURIComponent(namespace)}/${resource}` : `${root}/${resource}`;
    return [place, ...[name, subresource].filter(Boolean).map(encodeURIComponent)].join('/');
  }

  async function write(request: ApiRequest, isEviction = false): Promise<WriteAnswer> {
    let answer: TransportAnswer;
    try {
      // Repeating is the business of whoever can look what became of the first one.
      answer = await api.read({ ...request, retries: 0 });
    } catch (error) {
      if (error instanceof GapSignal) return { is: 'unanswered', message: error.gap.detail };
      throw error;
    }
    return answerOf(answer, request.contentType === PATCH_TYPES.json, isEviction);
  }

  function answerOf(
    { status, body, headers }: TransportAnswer,
    isJsonPatch: boolean,
    isEviction: boolean,
  ): WriteAnswer {
    const said = statusObject(body);
    if (status >= 200 && status < 300) return { is: 'done', object: parsedObject(body) ?? {} };
    const message = redactor.text(String(said?.message ?? '')).slice(0, 600) || `the server answered ${status}`;
    if (status === 404) return { is: 'not-found', message };
    if (status === 409) return { is: 'conflict', message };
    if (status === 422 && isJsonPatch && message.includes(FAILED_TEST)) return { is: 'conflict', message };
    if (status === 422 && message.includes(OTHER_UID)) return { is: 'conflict', message };
    // Of an eviction, 429 is the answer of a budget, which another moment does not change.
    if ((status === 429 && !isEviction) || (status >= 500 && status !== 501)) {
      const seconds = Number(headers['retry-after'] ?? said?.details?.retryAfterSeconds ?? 0);
      return { is: 'busy', status, message, retryAfter: Number.isFinite(seconds) ? seconds * 1000 : 0 };
    }
    return { is: 'refused', status, message: isEviction ? budgetsIn(said, message) : message };
  }

  async function ask(path: string, body: RawObject): Promise<RawObject> {
    return api.json({ path, method: 'POST', body });
  }

  function parameters(dryRun: boolean): string {
    return `?fieldManager=${MANAGER}&fieldValidation=Strict${dryRun ? '&dryRun=All' : ''}`;
  }

  async function get(target: Target): Promise<RawObject | undefined> {
    const path = await pathOf(target);
    const answer = await api.read({ path });
    if (answer.status === 404 && statusObject(answer.body)) return undefined;
    if (answer.status !== 200) throw api.refused({ path }, answer);
    const object = parsedObject(answer.body);
    if (typeof object?.metadata?.uid !== 'string') throw api.malformed({ path }, answer);
    if (object.kind === 'Secret') for (const value of Object.values(object.data ?? {})) redactor.learn(String(value));
    return object;
  }

  function bucketOf(store: StoreKey): Promise<OpenBucket> {
    const { secret, key } = store;
    const id = `${secret.namespace}/${secret.name}/${key}`;
    const known = buckets.get(id);
    if (known) return known;
    const opened = openStore(store, id);
    buckets.set(id, opened);
    opened.catch(() => buckets.delete(id));
    return opened;
  }

  async function openStore({ secret, key }: StoreKey, id: string): Promise<OpenBucket> {
    const value = (await get(secret))?.data?.[key];
    if (typeof value !== 'string') {
      throw new GapSignal({
        reason: 'not-found',
        detail: `the store's configuration ${id} was not found`,
        path: 's3://',
      });
    }
    const configuration = parsedYaml(Buffer.from(value, 'base64').toString('utf8'));
    return openBucket(
      {
        configuration: () => configuration,
        credentials: options.storeCredentials ?? {},
        certificateAuthority: options.storeCertificateAuthority,
        environment,
        proxyFor: proxyOf,
        redirect: options.redirect ?? new Map(),
        timeout: timeouts.store,
        maxObjects: 0,
        stop,
        failures,
        clean: redactor.text,
        onRequest() {},
      },
      id,
    );
  }

  async function exists(look: () => Promise<unknown>, path: string): Promise<boolean> {
    try {
      await look();
      return true;
    } catch (error) {
      const { $metadata, name, message } = error as {
        $metadata?: { httpStatusCode?: number };
        name: string;
        message: string;
      };
      if ($metadata?.httpStatusCode === 404) return false;
      throw new GapSignal({ reason: 'server-error', detail: redactor.text(`${name}: ${message}`), path });
    }
  }

  return {
    cluster: options.name,
    now: api.now,
    get,

    async list(group, resource, namespace, labels = '') {
      const path = await pathOf({ group, resource, kind: '', namespace, name: '' }, '');
      const items: RawObject[] = [];
      let token = '';
      do {
        const query = new URLSearchParams({
          limit: String(LIST_LIMIT),
          ...(labels ? { labelSelector: labels } : {}),
          ...(token ? { continue: token } : {}),
        });
        const page = await api.json({ path: `${path}?${query}`, place: path });
        items.push(...(page.items ?? []));
        token = page.metadata?.continue ?? '';
      } while (token);
      return items;
    },

    async allowed({ verb, target, subresource }: Permission) {
      const { group, resource, namespace, name } = target;
      const answer = await ask('/apis/authorization.k8s.io/v1/selfsubjectaccessreviews', {
        apiVersion: 'authorization.k8s.io/v1',
        kind: 'SelfSubjectAccessReview',
        spec: {
          resourceAttributes: {
            verb,
            group,
            resource,
            namespace,
            ...(name ? { name } : {}),
            ...((subresource ?? target.subresource) ? { subresource: subresource ?? target.subresource } : {}),
          },
        },
      });
      return answer.status?.allowed === true;
    },

    async who() {
      try {
        const review = { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' };
        const answer = await ask('/apis/authentication.k8s.io/v1/selfsubjectreviews', review);
        return String(answer.status?.userInfo?.username ?? '');
      } catch (error) {
        if (error instanceof GapSignal) return '';
        throw error;
      }
    },

    async patch(target, form, body, dryRun) {
      const path = (await pathOf(target)) + parameters(dryRun);
      return write({ path, method: 'PATCH', body, contentType: PATCH_TYPES[form] });
    },

    async create(target, object, dryRun) {
      const root = await rootOf(target.group, target.resource);
      const apiVersion = root.replace(/^\/apis?\//, '');
      const path = (await pathOf({ ...target, name: '' }, '')) + parameters(dryRun);
      return write({ path, method: 'POST', body: { ...object, apiVersion, kind: target.kind } });
    },

    async delete(target, preconditions, orphan, dryRun) {
      const path = await pathOf(target);
      const body = {
        apiVersion: 'v1',
        kind: 'DeleteOptions',
        preconditions,
        propagationPolicy: orphan ? 'Orphan' : 'Background',
        ...(dryRun ? { dryRun: ['All'] } : {}),
      };
      return write({ path, method: 'DELETE', body });
    },

    async evict(target, uid, dryRun) {
      // In both places: webhooks are told by the first, the eviction itself by the second.
      const path = (await pathOf(target, 'eviction')) + (dryRun ? '?dryRun=All' : '');
      const body = {
        apiVersion: 'policy/v1',
        kind: 'Eviction',
        metadata: { name: target.name, namespace: target.namespace },
        deleteOptions: { preconditions: { uid }, ...(dryRun ? { dryRun: ['All'] } : {}) },
      };
      return write({ path, method: 'POST', body }, true);
    },

    async bucketHas(store, key) {
      const { client, bucket, prefix } = await bucketOf(store);
      const { HeadObjectCommand } = await sdk();
      const whole = `${prefix}${key}`;
      return exists(
        () => client.send(new HeadObjectCommand({ Bucket: bucket, Key: whole })),
        `s3://${bucket}/${whole}`,
      );
    },

    async bucketExists(store) {
      const { client, bucket } = await bucketOf(store);
      const { HeadBucketCommand } = await sdk();
      return exists(() => client.send(new HeadBucketCommand({ Bucket: bucket })), `s3://${bucket}`);
    },

    async podAnswer({ namespace, pod, port, scheme }, path) {
      const name = `${scheme ? `${scheme}:` : ''}${pod}:${port}`;
      const request = { path: `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods/${name}/proxy${path}` };
      const answer = await api.read(request);
      // A Status is the API server's own answer: it says nothing of what the pod would have said.
      if (answer.status !== 200 && statusObject(answer.body)) throw api.refused(request, answer);
      return { status: answer.status, text: answer.body.toString('utf8') };
    },

    async bucket(store, verb, key, body) {
      const { client, bucket, prefix } = await bucketOf(store);
      const commands = await sdk();
      const place = { Bucket: bucket, Key: `${prefix}${key}` };
      try {
        if (verb === 'put')
          await client.send(new commands.PutObjectCommand({ ...place, Body: body, IfNoneMatch: '*' }));
        if (verb === 'delete') await client.send(new commands.DeleteObjectCommand(place));
        if (verb === 'create-bucket') await client.send(new commands.CreateBucketCommand({ Bucket: bucket }));
        if (verb === 'delete-bucket') await client.send(new commands.DeleteBucketCommand({ Bucket: bucket }));
        return { is: 'done', object: {} };
      } catch (error) {
        return bucketFailure(error as Error & { $metadata?: { httpStatusCode?: number } }, redactor.text);
      }
    },

    close() {
      for (const bucket of buckets.values()) bucket.then(({ client }) => client.destroy()).catch(() => {});
      transport.close();
    },
  };
}

function bucketFailure(
  error: Error & { $metadata?: { httpStatusCode?: number } },
  clean: (text: string) => string,
): WriteAnswer {
  const status = error.$metadata?.httpStatusCode;
  const message = clean(`${error.name}: ${error.message}`).slice(0, 600);
  if (status === undefined) return { is: 'unanswered', message };
  if (status === 409 || status === 412) return { is: 'conflict', message };
  if (status === 429 || status >= 500) return { is: 'busy', status, message, retryAfter: 0 };
  return status === 404 ? { is: 'not-found', message } : { is: 'refused', status, message };
}

/** The budgets that an eviction was refused by stand among the causes. */
function budgetsIn(said: RawObject | undefined, message: string): string {
  const causes = (said?.details?.causes ?? []).map((cause: RawObject) => cause.message).filter(Boolean);
  return causes.length > 0 ? `${message} (${causes.join('; ')})` : message;
}

function parsedObject(body: Buffer): RawObject | undefined {
  try {
    const object = JSON.parse(body.toString('utf8'));
    // Go leaves a zero out.
    if (object?.kind === 'Scale') object.spec = { replicas: 0, ...object.spec };
    return typeof object === 'object' && object !== null ? object : undefined;
  } catch {
    return undefined;
  }
}

function parsedYaml(text: string): RawObject {
  try {
    return parse(text, { prettyErrors: false });
  } catch {
    throw new GapSignal({ reason: 'malformed', detail: "the store's configuration is no valid YAML", path: 's3://' });
  }
}
