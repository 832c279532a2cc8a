import { Agent, request as httpsRequest } from 'node:https';
import { parseAllDocuments } from 'yaml';
import { accessRoles } from '../../src/app/access-roles.ts';
import type { RawObject } from '../../src/model/source.ts';
import { DEFAULTS, groupIn, RESOURCES } from '../mutable-server/resources.ts';
import type { ControlPlane } from './control-plane.ts';

export interface ApiAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
}

export interface ApiCall {
  readonly method: string;
  /** Path and query. */
  readonly target: string;
  readonly token: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Buffer;
}

/** A way to the real API server, as whoever has the token. */
export interface ApiClient {
  send(call: ApiCall): Promise<ApiAnswer>;
  /** As the one who may do everything: the object, or the Status, that came back. */
  json(method: string, target: string, body?: RawObject, contentType?: string): Promise<RawObject>;
  close(): void;
}

export function openApiClient(plane: ControlPlane, admin: string): ApiClient {
  const agent = new Agent({ keepAlive: true, rejectUnauthorized: false });
  const send = (call: ApiCall) =>
    new Promise<ApiAnswer>((done, fail) => {
      const headers = { ...call.headers, authorization: `Bearer ${call.token}` };
      const asked = httpsRequest(`${plane.url}${call.target}`, { method: call.method, agent, headers }, response => {
        const chunks: Buffer[] = [];
        response.on('data', chunk => chunks.push(chunk));
        response.on('error', fail);
        response.on('end', () =>
          done({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) }),
        );
      });
      asked.on('error', fail);
      asked.end(call.body);
    });
  return {
    send,
    async json(method, target, body, contentType = 'application/json') {
      const answer = await send({
        method,
        target,
        token: admin,
        headers: { 'content-type': contentType },
        ...(body ? { body: Buffer.from(JSON.stringify(body)) } : {}),
      });
      return JSON.parse(answer.body.toString('utf8'));
    },
    close: () => agent.destroy(),
  };
}

/** Throws what the server said where it did not accept. */
export function accepted(answer: RawObject, what: string): RawObject {
  if (answer.kind !== 'Status' || answer.status === 'Success') return answer;
  throw new Error(`${what}: ${answer.message}`);
}

/** The path of an object, or of its kind where it has no name yet. */
export function pathOf(object: RawObject, name: string): string {
  const group = groupIn(object);
  const resource = RESOURCES.find(entry => entry.group === group && entry.kind === object.kind);
  if (!resource) throw new Error(`the table of resources has no ${object.kind} of "${group}"`);
  const root = group ? `/apis/${group}/${resource.version}` : '/api/v1';
  const place = resource.namespaced ? `/namespaces/${object.metadata.namespace}` : '';
  return `${root}${place}/${resource.name}${name ? `/${encodeURIComponent(name)}` : ''}`;
}

/** Any field, and the defaults of some. */
function schemaOf(kind: string): RawObject {
  const open = (): RawObject => ({ type: 'object', 'x-kubernetes-preserve-unknown-fields': true });
  const schema = open();
  for (const [path, value] of DEFAULTS[kind] ?? []) {
    let place = schema;
    for (const part of ['spec', ...path.slice(0, -1)]) {
      place.properties ??= {};
      place.properties[part] ??= open();
      place = place.properties[part];
    }
    place.properties ??= {};
    place.properties[path.at(-1)!] = { type: typeof value, default: value };
  }
  return schema;
}

/** What the server of the tests serves of operators, as custom resources that take any field. */
export async function installCustomResources(api: ApiClient): Promise<void> {
  const custom = RESOURCES.filter(({ group }) => /\.(?:com|io)$/.test(group) && !group.endsWith('k8s.io'));
  for (const { group, version, name, kind, namespaced } of custom) {
    const schema = { openAPIV3Schema: schemaOf(kind) };
    const crd = {
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      metadata: { name: `${name}.${group}` },
      spec: {
        group,
        scope: namespaced ? 'Namespaced' : 'Cluster',
        names: { plural: name, singular: kind.toLowerCase(), kind, listKind: `${kind}List` },
        versions: [{ name: version, served: true, storage: true, schema, subresources: { status: {} } }],
      },
    };
    accepted(await api.json('POST', '/apis/apiextensions.k8s.io/v1/customresourcedefinitions', crd), name);
  }
  for (const { group, version, name } of custom) {
    await until(async () => {
      const list = await api.json('GET', `/apis/${group}/${version}/${name}`).catch(() => ({}) as RawObject);
      return Array.isArray(list.items);
    }, `${name}.${group} to be served`);
  }
}

/** The documents of files of deploy/rbac, as the program ships them. */
function roleDocuments(files: readonly string[]): readonly RawObject[] {
  return accessRoles()
    .filter(({ name }) => files.includes(name))
    .flatMap(({ text }) => parseAllDocuments(text).map(document => document.toJS() as RawObject));
}

/** As `kubectl apply` does it with objects that are not there yet. */
async function make(api: ApiClient, object: RawObject): Promise<void> {
  const { kind, apiVersion, metadata } = object;
  const root = apiVersion === 'v1' ? '/api/v1' : `/apis/${apiVersion}`;
  const place = metadata.namespace ? `/namespaces/${metadata.namespace}` : '';
  const made = await api.json('POST', `${root}${place}/${kind.toLowerCase()}s`, object);
  if (made.reason !== 'AlreadyExists') accepted(made, `${kind} ${metadata.name}`);
}

/** Applies these files of deploy/rbac, with the accounts and bindings that they have. */
export async function applyRoles(api: ApiClient, files: readonly string[]): Promise<void> {
  for (const document of roleDocuments(files)) await make(api, document);
}

/** Gives a subject exactly the roles of these files of deploy/rbac. */
export async function bindRoles(api: ApiClient, files: readonly string[], subject: RawObject): Promise<void> {
  for (const document of roleDocuments(files).filter(({ kind }) => kind === 'ClusterRole')) {
    await make(api, document);
    const { name } = document.metadata;
    await make(api, {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRoleBinding',
      metadata: { name: `${name}-of-${subject.name}` },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name },
      subjects: [subject],
    });
  }
}

/** Looks until it is so, for half a minute. */
export async function until(look: () => Promise<boolean>, what: string): Promise<void> {
  for (let count = 0; count < 600; count += 1) {
    if (await look()) return;
    await new Promise(resolve => setTimeout(resolve, 50));
  }
  throw new Error(`waited in vain for ${what}`);
}
