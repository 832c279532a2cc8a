import { expect, test } from 'vitest';
import type { RawObject } from '../../src/model/source.ts';
import { binaryList, binaryObject } from '../../src/simulator/protobuf-encoding.ts';
import { gapOf } from './gap-of.ts';
import { apiHandler, openTest, startServer } from './test-server.ts';

const PROTOBUF = 'application/vnd.kubernetes.protobuf';

const pod = (name: string, words = '') => ({
  metadata: { name, namespace: 'one', ...(words && { annotations: { words } }) },
});

function page(objects: readonly RawObject[], next: string): Buffer {
  const binary = objects.map(object => binaryObject('core.Pod', object));
  return binaryList('v1', 'PodList', { resourceVersion: '1', continue: next }, binary).body;
}

const take = ({ metadata }: RawObject) => ({ name: metadata.name, words: metadata.annotations?.words ?? '' });

test('pages that are read into the place of the one before are whole, whatever their lengths', async () => {
  const lengths = [3, 90_000, 0, 400_000, 17, 1_000_000, 5];
  const objects = lengths.map((length, index) => pod(`pod-${index}`, `${index}`.repeat(length)));
  const server = await startServer(
    apiHandler((_, response, url) => {
      if (!url.pathname.endsWith('/pods')) return;
      const index = Number(url.searchParams.get('continue') ?? 0);
      const body = page([objects[index]!], index + 1 < objects.length ? String(index + 1) : '');
      // Every second one does not say how long it is.
      const length = index % 2 === 0 ? { 'content-length': body.length } : {};
      response.writeHead(200, { 'content-type': PROTOBUF, ...length });
      response.write(body.subarray(0, 1));
      response.end(body.subarray(1));
    }),
  );
  const source = await openTest(server.url);
  expect((await source.list('', 'pods', take)).items).toEqual(objects.map(take));
  const asked = server.requests.filter(line => line.includes('/pods'));
  expect(new Set(asked).size).toBe(lengths.length);
  expect(asked).toHaveLength(lengths.length);
});

test('a page that was read ahead of a broken one is not missed', async () => {
  const server = await startServer(
    apiHandler((_, response, url) => {
      if (!url.pathname.endsWith('/pods')) return;
      if (url.searchParams.has('continue')) return void response.destroy();
      response.writeHead(200, { 'content-type': PROTOBUF }).end(page([{ metadata: { namespace: 'one' } }], 'x'));
    }),
  );
  const source = await openTest(server.url);
  expect(await gapOf(source.list('', 'pods', take))).toMatchObject({ reason: 'malformed', path: '/api/v1/pods' });
  await source.close();
});
