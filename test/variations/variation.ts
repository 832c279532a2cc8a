import { parse, stringify } from 'yaml';
import type { RawObject } from '../../src/model/source.ts';

/** What a variation chooses; the same choice gives the same files. */
export interface Choice {
  readonly words: readonly string[];
  /** Seconds by which everything is moved. */
  readonly shift: number;
  /** Order of lists whose order means nothing. */
  readonly order: number;
  readonly chart: Chart;
}

/** What charts decide otherwise than the one that was recorded. */
export interface Chart {
  /** What the names of images begin with, instead of a public registry; '' as recorded. One that ends in `-` takes their slashes. */
  readonly mirror: string;
  /** What a version looks like in the tag of an image. */
  readonly tag: 'v1.2.3' | '1.2.3' | '1.2.3-debian-12-r1';
  /** The keys of labels that charts give. */
  readonly labels: 'app.kubernetes.io' | 'app.acme.example' | 'app';
}

export interface Variation {
  readonly files: ReadonlyMap<string, Uint8Array>;
  /** The name that a name of the recording has now. */
  rename(text: string): string;
}

const FIXED_NAMESPACES = ['default', 'kube-system', 'kube-public', 'kube-node-lease'];
const WORKLOADS =
  /^(apps\/v1\/(deployments|statefulsets|daemonsets)|monitoring\.coreos\.com\/v1\/(prometheuses|alertmanagers|thanosrulers))$/;

/** A recording with other names, addresses and times, in another order. Nothing in it may matter to a diagnosis. */
export function varied(files: ReadonlyMap<string, Uint8Array>, choice: Choice): Variation {
  const texts = new Map([...files].map(([path, bytes]) => [path, Buffer.from(bytes).toString('utf8')]));
  const rename = renamer(texts, choice.words);
  const now = Date.parse(parse(texts.get('manifest.yaml') ?? '').takenAt);
  const mix = mixer(choice.order);
  const changed = new Map<string, Uint8Array>();
  for (const [path, text] of texts) {
    const target = path === 'manifest.yaml' ? path : rename(moved(path, choice.shift, now));
    const other = charted(rename(text), choice.chart);
    const content = shuffled(path, moved(other, choice.shift, now, path.endsWith('metrics.txt')), mix);
    changed.set(target, Buffer.from(content, 'utf8'));
  }
  return { files: changed, rename };
}

/** Other names for clusters, namespaces, nodes, what people install, hosts and networks, wherever they stand. */
function renamer(texts: ReadonlyMap<string, string>, words: readonly string[]): (text: string) => string {
  const objects = [...texts].flatMap(([path, text]) => {
    const [, resource] = /\/objects\/(.*)\.json$/.exec(path) ?? [];
    if (!resource) return [];
    return JSON.parse(text).items.map((object: RawObject) => ({ resource, object }));
  });
  const all = [...texts.values()].join('\n');
  const fresh = [...words];
  const word = () => {
    for (;;) {
      const next = fresh.shift();
      if (next === undefined) throw new Error('there are not enough words');
      if (!new RegExp(`\\b${next}\\b`).test(all)) return next;
    }
  };
  // The name of an image says what runs in it: that is no name that people gave.
  const images = new Set([...all.matchAll(/"image":\s*"(?:[^"]*\/)?([^":@/]+)[":@]/g)].map(([, image]) => image));
  const parts = new Map<string, string>();
  const whole = new Map<string, string>();
  const give = (names: Map<string, string>, name: string, fresh: () => string) => {
    if (!names.has(name)) names.set(name, fresh());
  };
  for (const path of texts.keys()) {
    const [, cluster] = /^clusters\/([^/]+)\//.exec(path) ?? [];
    if (cluster) give(parts, cluster, word);
  }
  for (const { resource, object } of objects) {
    const { name, ownerReferences, labels } = object.metadata;
    if (resource === 'core/v1/nodes') give(parts, name, word);
    if (resource === 'core/v1/namespaces' && !FIXED_NAMESPACES.includes(name)) give(whole, name, word);
    const release = labels?.['app.kubernetes.io/instance'] ?? '';
    if (release.includes('-')) give(parts, release, word);
    if (!WORKLOADS.test(resource) || ownerReferences || FIXED_NAMESPACES.includes(object.metadata.namespace)) continue;
    if (name.includes('-') && !images.has(name)) give(parts, name, () => `${word()}-${word()}`);
  }
  for (const [path, text] of texts) {
    if (!path.endsWith('/stores.yaml')) continue;
    for (const store of parse(text) ?? []) {
      const host = String(store.config?.config?.endpoint ?? '').split(':')[0] ?? '';
      const domain = /[^.]+\.[a-z]+$/.exec(host)?.[0];
      if (domain) give(whole, domain, () => `${word()}.example`);
    }
  }
  const networks = new Map<string, string>();
  for (const [, network] of all.matchAll(
    /(?<![\d.])((?:10\.(?!0\.)\d+|192\.168|172\.(?:1[6-9]|2\d|3[01])))\.\d+\.\d+(?![\d.])/g,
  )) {
    if (network && !networks.has(network)) networks.set(network, `10.${150 + networks.size}`);
  }
  return text =>
    text
      .replace(
        alternatives(parts, '(?<![A-Za-z0-9])', '(?![A-Za-z0-9]|-\\d+\\.\\d)'),
        found => parts.get(found) ?? found,
      )
      .replace(
        alternatives(whole, '(?<![A-Za-z0-9-])', '(?![A-Za-z0-9-]|\\.coreos)'),
        found => whole.get(found) ?? found,
      )
      .replace(alternatives(whole, '(?<=cilium-l2announce-)', '(?=-)'), found => whole.get(found) ?? found)
      .replace(/(?<![\d.])(\d+\.\d+)(?=\.\d+\.\d+(?![\d.]))/g, found => networks.get(found) ?? found);
}

/** The same software by another chart: images from elsewhere, and labels under other keys. */
function charted(text: string, { mirror, tag, labels }: Chart): string {
  const images = /\b(?:(?:quay|docker|ghcr)\.io|registry\.k8s\.io)\/([\w./-]+):(v?)(\d+\.\d+\.\d+)(?![\w.-])/g;
  const version = { 'v1.2.3': 'v$', '1.2.3': '$', '1.2.3-debian-12-r1': '$-debian-12-r1' }[tag];
  return text
    .replace(images, (all, path, lead, number) => {
      // Projects that never wrote a v do not begin to.
      const written = lead === '' ? number : version.replace('$', number);
      if (mirror === '') return all;
      return mirror.endsWith('-') ? `${mirror}${path.replaceAll('/', '-')}:${written}` : `${mirror}/${path}:${written}`;
    })
    .replace(/\bapp\.kubernetes\.io\/(name|instance|component|part-of|version)\b/g, (all, key) =>
      labels === 'app.kubernetes.io' ? all : labels === 'app' ? `app-${key}` : `${labels}/${key}`,
    )
    .replace(/\bapp_kubernetes_io_(name|instance|component|part_of|version)\b/g, (all, key) =>
      labels === 'app.kubernetes.io' ? all : labels === 'app' ? `app_${key}` : `app_acme_example_${key}`,
    );
}

function alternatives(names: ReadonlyMap<string, string>, before: string, after: string): RegExp {
  const longestFirst = [...names.keys()].sort((a, b) => b.length - a.length).map(name => name.replaceAll('.', '\\.'));
  return new RegExp(`${before}(?:${longestFirst.join('|')})${after}`, 'g');
}

const LETTERS = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const MONTHS = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ');
const TIMES =
  /_start_time_seconds|_timestamp(_seconds)?$|last_successful_upload_time|_success_time_seconds|_(min|max)_time(_seconds)?$/;

/** Moves every time in a text by some seconds, in whatever way it is written. */
function moved(text: string, shift: number, now: number, metrics = false): string {
  const near = (milliseconds: number) => Math.abs(milliseconds - now) < 120 * 86_400_000;
  const later = (milliseconds: number) => new Date(milliseconds + shift * 1000).toISOString();
  const plain = text
    .replace(/((?:notAfter|notBefore)["']?: ?["']?)?\b(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d)/g, (all, always, time) => {
      const at = Date.parse(`${time.replace(' ', 'T')}Z`);
      return always || near(at) ? `${always ?? ''}${later(at).slice(0, 19).replace('T', time[10])}` : all;
    })
    .replace(/^(\S+ )?([IWEF])(\d\d)(\d\d) (\d\d:\d\d:\d\d)(?=\.\d{6})/gm, (_, lead, level, month, day, time) => {
      const at = later(Date.parse(`${new Date(now).getUTCFullYear()}-${month}-${day}T${time}Z`));
      return `${lead ?? ''}${level}${at.slice(5, 7)}${at.slice(8, 10)} ${at.slice(11, 19)}`;
    })
    .replace(/\b\w{3}, (\d\d) (\w{3}) (\d{4}) (\d\d:\d\d:\d\d)/g, (_, day, month, year, time) => {
      const number = String(MONTHS.indexOf(month) + 1).padStart(2, '0');
      return new Date(Date.parse(`${year}-${number}-${day}T${time}Z`) + shift * 1000).toUTCString().slice(0, -4);
    })
    .replace(/\b[0-7][0-9A-HJKMNP-TV-Z]{25}\b/g, id => {
      const at = [...id.slice(0, 10)].reduce((sum, letter) => sum * 32 + LETTERS.indexOf(letter), 0);
      return near(at) ? ulidTime(at + shift * 1000) + id.slice(10) : id;
    });
  if (metrics) {
    return plain.replace(/^((\w+)(?:\{.*\})? )(\S+)$/gm, (all, lead, name, value) => {
      const number = Number(value);
      if (!TIMES.test(name)) return all;
      if (near(number * 1000)) return `${lead}${number + shift}`;
      return near(number) ? `${lead}${number + shift * 1000}` : all;
    });
  }
  return plain
    .replace(/(?<![\d.A-Za-z_-])\d{13}(?![\d.A-Za-z_])/g, digits =>
      near(Number(digits)) ? `${Number(digits) + shift * 1000}` : digits,
    )
    .replace(/((?:_time|[tT]imestamp|\bts|\btime|_seconds)\\?["']?\s*[:=]\s*)(\d{10})(?!\d)/g, (all, lead, digits) =>
      near(Number(digits) * 1000) ? `${lead}${Number(digits) + shift}` : all,
    );
}

function ulidTime(milliseconds: number): string {
  let head = '';
  for (let rest = milliseconds, place = 0; place < 10; place++, rest = Math.floor(rest / 32))
    head = LETTERS.charAt(rest % 32) + head;
  return head;
}

function shuffled(path: string, text: string, mix: <T>(list: readonly T[]) => readonly T[]): string {
  if (/\/objects\/.*\.json$/.test(path)) {
    const list = JSON.parse(text);
    return JSON.stringify({ ...list, items: mix(list.items) });
  }
  if (/\/(failures|stores|probes)\.yaml$|\/(http|buckets)\/index\.yaml$/.test(path)) {
    const list = parse(text);
    return Array.isArray(list) ? stringify(mix(list)) : text;
  }
  return text;
}

/** Shuffles lists, the same way for the same seed. */
function mixer(seed: number): <T>(list: readonly T[]) => readonly T[] {
  let state = seed >>> 0;
  const random = () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
  return list =>
    list
      .map(item => ({ item, at: random() }))
      .sort((a, b) => a.at - b.at)
      .map(({ item }) => item);
}
