import http from 'node:http';
import https from 'node:https';
import { decodeList } from '../../src/clusters/protobuf.ts';
import { PROTOBUF_KINDS } from '../../src/clusters/protobuf-fields.ts';

/**
 * The least that can be done: fetch the same pages over kept connections, and drop them. As JSON they are parsed; as
 * protobuf they are read through for the token of the next page, and with `decoded` made into objects as a diagnosis does.
 */
const { clusters, paths, encoding } = JSON.parse(process.argv[2]!) as {
  readonly clusters: readonly { readonly url: string; readonly token?: string }[];
  readonly paths: readonly string[];
  readonly encoding?: 'json' | 'protobuf' | 'decoded';
};
const binary = encoding === 'protobuf' || encoding === 'decoded';
const accept = binary ? 'application/vnd.kubernetes.protobuf' : 'application/json';

let requests = 0;
let bytes = 0;

function get(agent: http.Agent | https.Agent, url: string, token: string | undefined): Promise<Buffer> {
  const client = url.startsWith('https:') ? https : http;
  const headers = { accept, ...(token && { authorization: `Bearer ${token}` }) };
  return new Promise((resolve, reject) => {
    client
      .get(url, { agent, headers }, response => {
        const chunks: Buffer[] = [];
        response.on('data', chunk => chunks.push(chunk));
        response.on('end', () => {
          const body = Buffer.concat(chunks);
          if (response.statusCode === 200) resolve(body);
          else reject(new Error(`${url}: ${response.statusCode} ${body.toString('utf8')}`));
        });
        response.on('error', reject);
      })
      .on('error', reject);
  });
}

/** On a busy machine, a connection that was kept may be gone by the time that it is used. */
async function again<Answer>(ask: () => Promise<Answer>, attempts = 3): Promise<Answer> {
  return ask().catch(error => {
    if (attempts === 1) throw error;
    return again(ask, attempts - 1);
  });
}

/** The token of the next page; '' after the last one. */
function nextOf(body: Buffer, path: string): string {
  if (!binary) return JSON.parse(body.toString('utf8')).metadata?.continue ?? '';
  const kind = path.replace(/^\/apis?\//, '').replace(/(^|\/)v1\//, '/');
  return decodeList(body, (encoding === 'decoded' && PROTOBUF_KINDS.get(kind)) || {}).next;
}

await Promise.all(
  clusters.map(async ({ url, token }) => {
    const pool = { keepAlive: true, maxSockets: 16 };
    const agent = url.startsWith('https:')
      ? new https.Agent({ ...pool, rejectUnauthorized: false })
      : new http.Agent(pool);
    const list = async (path: string) => {
      for (let next = ''; ; ) {
        const query = `limit=1000${next ? `&continue=${encodeURIComponent(next)}` : ''}`;
        const body = await again(() => get(agent, `${url}${path}?${query}`, token));
        requests += 1;
        bytes += body.length;
        next = nextOf(body, path);
        if (!next) return;
      }
    };
    await Promise.all(paths.map(list));
    agent.destroy();
  }),
);
console.log(JSON.stringify({ requests, bytes }));
