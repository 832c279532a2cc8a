// The least that reading the blocks of a bucket can cost: unsigned, over kept connections, nothing kept. Argument: endpoint.
import { Agent, get } from 'node:http';

const [endpoint = ''] = process.argv.slice(2);
const agent = new Agent({ keepAlive: true, maxSockets: 64 });

function text(path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    get(`http://${endpoint}/blocks${path}`, { agent }, response => {
      const parts: Buffer[] = [];
      response.on('data', part => parts.push(part));
      response.on('error', reject);
      response.on('end', () => resolve(Buffer.concat(parts).toString()));
    }).on('error', reject);
  });
}

let blocks = 0;
let token: string | undefined = '';
while (token !== undefined) {
  const page = await text(`?list-type=2${token ? `&continuation-token=${token}` : ''}`);
  const metas = [...page.matchAll(/<Key>([^<]+meta\.json)</g)].map(([, key]) => key!);
  token = /<NextContinuationToken>([^<]+)</.exec(page)?.[1];
  await Promise.all(
    metas.map(async key => {
      if (JSON.parse(await text(`/${key}`)).ulid) blocks += 1;
    }),
  );
}
agent.destroy();
process.stdout.write(JSON.stringify({ blocks }));
