import { execFile } from 'node:child_process';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { expect, it } from 'vitest';

/** Uses each package that is imported on demand. */
const ENTRY = `
import { openTransport } from './transport.ts';
import { openBuckets } from './s3-bucket.ts';
import { createFailureRecord } from './failure-record.ts';
import { openTarget } from './bundle-target.ts';
import { openBundleFiles } from './bundle-files.ts';
const base = new URL('https://127.0.0.1:1');
const seen = [];
for (const proxy of ['http://127.0.0.1:1', 'socks5://127.0.0.1:1']) {
  const transport = await openTransport({ base, proxy });
  seen.push(await transport.read({ path: '/', timeout: 2000 }).catch(error => error.reason));
}
const { PortForward } = await import('@kubernetes/client-node/dist/portforward.js');
const { OpenIDConnectAuth } = await import('@kubernetes/client-node/dist/oidc_auth.js');
seen.push(typeof new PortForward({}).portForward, typeof new OpenIDConnectAuth().getToken);
const config = { bucket: 'b', endpoint: '127.0.0.1:1', insecure: true, access_key: 'a', secret_key: 'b' };
const buckets = openBuckets({
  configuration: () => ({ type: 'S3', config }), credentials: {}, environment: {}, proxyFor: () => '',
  redirect: new Map(), timeout: 1000, maxObjects: 10, stop: new AbortController().signal,
  failures: createFailureRecord(), clean: text => text, onRequest() {},
});
seen.push(await buckets.answer('x').catch(error => error.gap.reason));
const target = await openTarget(process.argv[2]);
await target.write('manifest.yaml', 'format: 1');
await target.finish(new Date(0));
seen.push([...(await openBundleFiles(process.argv[2])).paths].join());
console.log(JSON.stringify(seen));
`;

it('packages that are imported on demand work once they are bundled', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'bundled-'));
  await build({
    stdin: { contents: ENTRY, resolveDir: new URL('../../src/clusters', import.meta.url).pathname, loader: 'ts' },
    outdir: folder,
    bundle: true,
    splitting: true,
    platform: 'node',
    format: 'esm',
    target: 'node20.19',
    outExtension: { '.js': '.mjs' },
    banner: { js: "import { createRequire } from 'node:module';\nconst require = createRequire(import.meta.url);" },
    logLevel: 'silent',
  });
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [
    join(folder, 'stdin.mjs'),
    join(folder, 'b.tar.gz'),
  ]);
  expect(JSON.parse(stdout)).toEqual([
    'refused',
    expect.any(String),
    'function',
    'function',
    'unreachable',
    'manifest.yaml',
  ]);
  // A package under OpenID Connect still asks for Node's own punycode, which later versions of Node remark upon.
  const remarks = stderr.split('\n').filter(line => line !== '' && !/DEP0040|--trace-deprecation/.test(line));
  expect(remarks).toEqual([]);
}, 20_000);
