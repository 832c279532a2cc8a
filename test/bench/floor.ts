import http from 'node:http';

/** The least that can be done: fetch the same pages over one kept connection a cluster, parse them, and drop them. */
const { clusters, paths } = JSON.parse(process.argv[2]!) as {
  readonly clusters: readonly { readonly url: string }[];
  readonly paths: readonly string[];
};

let requests = 0;
let bytes = 0;

function get(agent: http.Agent, url: string): Promise<string> {
  return new Promise((resolve, reject) => {
    http
      .get(url, { agent, headers: { accept: 'application/json' } }, response => {
        const chunks: Buffer[] = [];
        response.on('data', chunk => chunks.push(chunk));
        response.on('end', () => resolve(Buffer.concat(chunks).toString('utf8')));
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

async function list(agent: http.Agent, url: string): Promise<void> {
  for (let token = ''; ; ) {
    const text = await again(() =>
      get(agent, `${url}?limit=1000${token ? `&continue=${encodeURIComponent(token)}` : ''}`),
    );
    requests += 1;
    bytes += text.length;
    const page = JSON.parse(text) as { metadata?: { continue?: string } };
    token = page.metadata?.continue ?? '';
    if (!token) return;
  }
}

await Promise.all(
  clusters.map(async ({ url }) => {
    const agent = new http.Agent({ keepAlive: true, maxSockets: 16 });
    await Promise.all(paths.map(path => list(agent, url + path)));
    agent.destroy();
  }),
);
console.log(JSON.stringify({ requests, bytes }));
