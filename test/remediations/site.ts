import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { RawObject } from '../../src/model/source.ts';
import { temporaryFolder } from '../cli/program.ts';
import { type MutableServer, type ServerOptions, startMutableServer } from '../mutable-server/server.ts';
import type { StartServer } from './harness.ts';
import { node, pod, STORE_TEXT, secret, workload } from './scenes.ts';

export const RULE = 'object-store-speaks-http';

export interface Site {
  readonly server: MutableServer;
  /** Every request to the object store that would write. */
  readonly storeWrites: readonly string[];
  readonly environment: Record<string, string>;
  readonly state: string;
}

interface SiteOptions extends Partial<ServerOptions> {
  /** Stores, each with a Secret of its own; the Secret of `store` is `objstore`. */
  readonly stores?: readonly string[];
  readonly start?: StartServer;
}

/** A cluster whose Stores speak TLS to an object store that has plain HTTP only. */
export async function site({
  stores = ['store'],
  start = startMutableServer,
  ...more
}: SiteOptions = {}): Promise<Site> {
  const storeWrites: string[] = [];
  const store = createServer((request, response) => {
    if (!/^(?:GET|HEAD|OPTIONS)$/.test(request.method ?? '')) storeWrites.push(`${request.method} ${request.url}`);
    response.writeHead(403, { 'content-type': 'application/xml' }).end('<Error><Code>AccessDenied</Code></Error>');
  });
  await new Promise<void>(resolve => store.listen(0, '127.0.0.1', resolve));
  const { port } = store.address() as AddressInfo;
  const server = await start({
    objects: [
      { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'ns' } },
      node('node-1'),
      ...stores.flatMap(name => storeWith(name, STORE_TEXT.replace('"s3.example"', `127.0.0.1:${port}`))),
    ],
    ...more,
    other: url =>
      url.pathname.endsWith('/log') ? { is: 'answer', status: 200, headers: {}, body: Buffer.from('') } : undefined,
  });
  onTestFinished(async () => {
    await server.close();
    store.closeAllConnections();
    store.close();
  });
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'kubeconfig'), server.kubeconfig);
  mkdirSync(join(folder, 'state'));
  const environment = { KUBECONFIG: join(folder, 'kubeconfig'), XDG_STATE_HOME: join(folder, 'state') };
  return { server, storeWrites, environment, state: join(folder, 'state/thanos-doctor') };
}

function storeWith(name: string, text: string): readonly RawObject[] {
  const secretName = name === 'store' ? 'objstore' : `objstore-${name}`;
  const env = [{ name: 'CONFIG', valueFrom: { secretKeyRef: { name: secretName, key: 'store.yml' } } }];
  const container = {
    name: 'store',
    image: 'quay.io/thanos/thanos:v0.40.1',
    args: ['store', '--objstore.config=$(CONFIG)'],
    env,
  };
  const set = workload('StatefulSet', name, {
    spec: { template: { metadata: { labels: { app: name } }, spec: { containers: [container] } } },
  });
  const status = {
    name: 'store',
    image: container.image,
    imageID: '',
    ready: true,
    restartCount: 0,
    state: { running: { startedAt: '2026-01-01T00:00:00Z' } },
  };
  const running = {
    phase: 'Running',
    conditions: [{ type: 'Ready', status: 'True' }],
    containerStatuses: [status],
  };
  return [
    secret(text, { metadata: { name: secretName, namespace: 'ns' } }),
    set,
    pod(set, `${name}-0`, { spec: { containers: [container] }, status: running }),
  ];
}

/** The configuration of the store, in clear. */
export const textOf = (server: MutableServer) =>
  Buffer.from(server.find('Secret', 'ns', 'objstore')!.data['store.yml'], 'base64').toString('utf8');
