import { readdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import { openBundleFiles } from '../../src/clusters/bundle-files.ts';
import { startFleet } from '../../src/simulator/fleet.ts';
import { type ClusterRecording, readRecordings } from '../../src/simulator/recording.ts';

const INCIDENTS = new URL('../incidents/', import.meta.url);
const FLEETS = new URL('../../src/simulator/fleets/', import.meta.url);

const places = [
  ...readdirSync(INCIDENTS, { withFileTypes: true })
    .filter(entry => entry.isDirectory())
    .map(entry => new URL(`${entry.name}/bundle.tar.gz`, INCIDENTS)),
  ...readdirSync(FLEETS).map(name => new URL(name, FLEETS)),
];

test.each(places.map(place => [place.pathname.split('/').slice(-2).join('/'), place]))(
  '%s is answered as it was recorded',
  async (_, place) => {
    const bundle = await openBundleFiles((place as URL).pathname);
    const fleet = await startFleet(bundle);
    try {
      const differences: string[] = [];
      for (const [index, recording] of (await readRecordings(bundle)).entries()) {
        if (recording.groups) differences.push(...(await differencesOf(recording, fleet.clusters[index]!.url)));
      }
      expect(differences).toEqual([]);
      // Where nothing was asked, nothing could differ.
      expect(fleet.requests().length).toBeGreaterThan(50);
    } finally {
      await fleet.close();
    }
  },
);

/** Paths whose answer is not what the bundle holds. */
async function differencesOf(recording: ClusterRecording, url: string): Promise<readonly string[]> {
  const differences: string[] = [];
  const compare = async (path: string, status: number, body?: string) => {
    const response = await fetch(url + path);
    const text = await response.text();
    if (response.status !== status || (body !== undefined && text !== body))
      differences.push(`${path}: ${response.status}`);
  };
  const read = async (path: string) => Buffer.from((await recording.file(path))!).toString('utf8');
  for (const path of recording.paths) {
    const list = /^objects\/([^/]+)\/([^/]+)\/([^/]+)\.json$/.exec(path);
    if (list) {
      const root = list[1] === 'core' ? '/api' : `/apis/${list[1]}`;
      const response = await fetch(`${url}${root}/${list[2]}/${list[3]}`);
      const { items = [] } = (await response.json()) as { items?: readonly unknown[] };
      if (items.length !== JSON.parse(await read(path)).items.length) differences.push(path);
    }
    const log = /^logs\/([^/]+)\/([^/]+)\/(.+?)(\.previous)?\.log$/.exec(path);
    if (log) {
      const query = `container=${log[3]}&timestamps=true&tailLines=5000${log[4] ? '&previous=true' : ''}`;
      await compare(`/api/v1/namespaces/${log[1]}/pods/${log[2]}/log?${query}`, 200, await read(path));
    }
  }
  for (const { via, namespace, name, port, path, status, file } of recording.http) {
    const target = via === 'node' ? `nodes/${name}` : `namespaces/${namespace}/${via}s/${name}:${port}`;
    await compare(`/api/v1/${target}/proxy${path}`, status, await read(`http/${file}`));
  }
  for (const { path, status } of recording.failures) {
    if (path.startsWith('/') && status > 0) await compare(path, status);
  }
  return differences;
}
