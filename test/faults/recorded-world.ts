import { join } from 'node:path';
import { expect } from 'vitest';
import { parse, stringify } from 'yaml';
import { diagnoseFleet, NO_EXPECTATIONS } from '../../src/app/diagnose.ts';
import { builtinRules } from '../../src/app/rule-files.ts';
import { builtinSignatures } from '../../src/app/signature-files.ts';
import { type BundleFiles, memoryFiles, openBundleFiles } from '../../src/clusters/bundle-files.ts';
import { openBundleCluster, readManifest } from '../../src/clusters/bundle-source.ts';
import type { Finding } from '../../src/model/finding.ts';
import type { Report } from '../../src/model/report.ts';
import type { RawObject } from '../../src/model/source.ts';

const FOLDER = join(import.meta.dirname, '..', 'incidents');

const rules = builtinRules();
const signatures = builtinSignatures();
const opened = new Map<string, Promise<BundleFiles>>();

/** The files of a recording, unpacked once for each test file. */
function recorded(name: string): Promise<BundleFiles> {
  let files = opened.get(name);
  if (!files) {
    files = openBundleFiles(join(FOLDER, name, 'bundle.tar.gz'));
    opened.set(name, files);
  }
  return files;
}

/** One cluster of a recorded fleet, in which things are changed. */
export interface World {
  readonly cluster: string;
  /** Its `takenAt`. */
  readonly now: number;
  paths(): readonly string[];
  text(path: string): string;
  write(path: string, content: string): void;
  remove(path: string): void;
  /** Changes the items of a list, e.g. `core/v1/pods`. */
  list(resource: string, change: (items: RawObject[]) => RawObject[] | undefined): void;
  /** The items of a list, to read. */
  items(resource: string): readonly RawObject[];
  /** One object of a list; throws where it is not there. */
  object(resource: string, name: string): RawObject;
  /** Changes one object of a list; throws where it is not there. */
  edit(resource: string, name: string, change: (object: RawObject) => void): void;
  yaml(path: string, change: (document: RawObject) => RawObject | undefined): void;
  json(path: string, change: (document: RawObject) => RawObject | undefined): void;
  /** A read that fails from now on; what was recorded of it is taken away. */
  fail(failure: { path: string; status: number; reason: string; message: string; store?: string }): void;
  /** Appends lines to the log of a container; `ago` is in seconds. */
  log(
    pod: string,
    container: string,
    lines: readonly (readonly [ago: number, line: string])[],
    previous?: boolean,
  ): void;
  /** Makes the answer of a component that of `change`. */
  http(name: string, port: number, path: string, change: (body: RawObject) => RawObject | undefined): void;
  httpText(name: string, port: number, path: string, change: (body: string) => string, status?: number): void;
  /** What cannot be reached answers nothing: requests to it fail as the API server's proxy says it. */
  silence(name: string, message: string): void;
  /** Replaces text in all files whose path fits. */
  replace(files: RegExp, from: string | RegExp, to: string): void;
}

const encode = (text: string) => Buffer.from(text, 'utf8');

function worldOf(files: Map<string, Uint8Array>, cluster: string): World {
  const folder = `clusters/${cluster}/`;
  const text = (path: string): string => {
    const bytes = files.get(folder + path);
    if (!bytes) throw new Error(`the recording has no ${folder}${path}`);
    return Buffer.from(bytes).toString('utf8');
  };
  const write = (path: string, content: string) => void files.set(folder + path, encode(content));
  const now = Date.parse(parse(text('cluster.yaml')).takenAt);
  const yaml: World['yaml'] = (path, change) => {
    const document = parse(text(path));
    write(path, stringify(change(document) ?? document));
  };
  const json: World['json'] = (path, change) => {
    const document = JSON.parse(text(path));
    write(path, JSON.stringify(change(document) ?? document));
  };
  const list: World['list'] = (resource, change) =>
    json(`objects/${resource}.json`, document => {
      document.items = change(document.items) ?? document.items;
    });
  const nameOf = (object: RawObject) =>
    object.metadata.namespace ? `${object.metadata.namespace}/${object.metadata.name}` : object.metadata.name;
  const object: World['object'] = (resource, name) => {
    const found = JSON.parse(text(`objects/${resource}.json`)).items.find((item: RawObject) => nameOf(item) === name);
    if (!found) throw new Error(`${resource} has no ${name}`);
    return found;
  };
  const fail: World['fail'] = failure => {
    yaml('failures.yaml', failures => [...(failures as never as RawObject[]), failure] as never);
    const list = /^\/apis?\/(.*)$/.exec(failure.path)?.[1];
    if (list) files.delete(`${folder}objects/${list.startsWith('v1/') ? `core/${list}` : list}.json`);
  };
  const answer = (name: string, port: number, path: string): RawObject => {
    const found = parse(text('http/index.yaml')).find(
      (entry: RawObject) => entry.name === name && entry.port === port && entry.path === path,
    );
    if (!found) throw new Error(`nothing was asked of ${name}:${port}${path}`);
    return found;
  };
  return {
    cluster,
    now,
    paths: () => [...files.keys()].filter(path => path.startsWith(folder)).map(path => path.slice(folder.length)),
    text,
    write,
    remove: path => void files.delete(folder + path),
    list,
    items: resource => JSON.parse(text(`objects/${resource}.json`)).items,
    object,
    edit(resource, name, change) {
      object(resource, name);
      list(resource, items => {
        for (const item of items) if (nameOf(item) === name) change(item);
      });
    },
    yaml,
    json,
    fail,
    log(pod, container, lines, previous = false) {
      const path = `logs/${pod}/${container}${previous ? '.previous' : ''}.log`;
      const before = files.has(folder + path) ? text(path) : '';
      const stamped = lines.map(([ago, line]) => {
        const at = new Date(now - ago * 1000).toISOString();
        return `${at.replace('Z', '000000Z')} ${line.replaceAll('$NOW', at)}\n`;
      });
      write(path, before + stamped.join(''));
    },
    http(name, port, path, change) {
      json(`http/${answer(name, port, path).file}`, change);
    },
    httpText(name, port, path, change, status = 200) {
      const { file } = answer(name, port, path);
      write(`http/${file}`, change(text(`http/${file}`)));
      yaml('http/index.yaml', entries => {
        for (const entry of entries as never as RawObject[]) if (entry.file === file) entry.status = status;
      });
    },
    silence(name, message) {
      const gone: RawObject[] = [];
      yaml('http/index.yaml', entries => {
        const rows = entries as never as RawObject[];
        gone.push(...rows.filter(row => row.name === name));
        return rows.filter(row => row.name !== name) as never;
      });
      for (const { namespace, port, path } of gone) {
        fail({
          path: `/api/v1/namespaces/${namespace}/pods/${name}:${port}/proxy${path}`,
          status: 503,
          reason: 'ServiceUnavailable',
          message: `error trying to reach service: ${message.replace('$PORT', String(port))}`,
        });
      }
    },
    replace(wanted, from, to) {
      for (const [path, bytes] of files) {
        if (!path.startsWith(folder) || !wanted.test(path.slice(folder.length))) continue;
        files.set(path, encode(Buffer.from(bytes).toString('utf8').replaceAll(from, to)));
      }
    },
  };
}

export interface Place {
  readonly rule: string;
  readonly cluster?: string;
  /** `Kind namespace/name` or `Kind name` */
  readonly subject?: string;
}

export interface Expected {
  readonly roots: readonly Place[];
  /** Rules of which a finding stands under a root. */
  readonly symptoms?: readonly (string | Place)[];
  /** Rules that may be named as roots as well. */
  readonly never?: readonly string[];
}

/** Changes to clusters of a recording: by cluster, or with all of them at hand. */
export type Fault = Readonly<Record<string, (world: World) => void>> | ((worlds: readonly World[]) => void);

/** Where each cluster is taken from: one recording for all, or one for each. */
export type Base = string | Readonly<Record<string, string>>;

export async function diagnosed(base: Base, ...faults: readonly Fault[]): Promise<Report> {
  const files = new Map<string, Uint8Array>();
  const from = typeof base === 'string' ? [['', base] as const] : Object.entries(base);
  for (const [cluster, name] of from) {
    const source = await recorded(name);
    for (const path of source.paths) {
      if (cluster !== '' && path !== 'manifest.yaml' && !path.startsWith(`clusters/${cluster}/`)) continue;
      files.set(path, (await source.read(path))!);
    }
  }
  const { clusters } = await readManifest(memoryFiles('recording', files));
  for (const fault of faults) {
    if (typeof fault === 'function') fault(clusters.map(cluster => worldOf(files, cluster)));
    else for (const [cluster, change] of Object.entries(fault)) change(worldOf(files, cluster));
  }
  const bundle = memoryFiles('changed recording', files);
  return diagnoseFleet(await Promise.all(clusters.map(cluster => openBundleCluster(bundle, cluster))), {
    rules,
    signatures,
    expectations: NO_EXPECTATIONS,
    fleet: '',
    concurrency: 16,
    version: 'test',
    command: 'test',
  });
}

const subjectOf = ({ subject: { kind, namespace, name } }: Finding) =>
  `${kind} ${namespace === '' ? name : `${namespace}/${name}`}`;

function fits(finding: Finding, { rule, cluster, subject }: Place): boolean {
  if (finding.rule !== rule) return false;
  return (cluster === undefined || cluster === finding.cluster) && (!subject || subject === subjectOf(finding));
}

const shown = (finding: Finding) => `${finding.rule} @${finding.cluster} ${subjectOf(finding)}`;

/** The roots are those expected and no others, and each symptom is there under one of them. */
export function expectRoots(report: Report, { roots, symptoms = [], never = [] }: Expected): void {
  const serious = report.findings.filter(finding => finding.severity !== 'info');
  const found = serious.filter(finding => finding.root);
  const wanted = roots.map(({ rule, cluster = '*', subject = '*' }) => `${rule} @${cluster} ${subject}`);
  const summary = found.map(finding => {
    const place = roots.findIndex(root => fits(finding, root));
    return place === -1 ? shown(finding) : wanted[place];
  });
  expect([...new Set(summary)].sort()).toEqual([...wanted].sort());
  for (const symptom of symptoms) {
    const place = typeof symptom === 'string' ? { rule: symptom } : symptom;
    const there = serious.filter(finding => fits(finding, place));
    expect(there.length, `${place.rule} ${place.subject ?? ''} is found`).toBeGreaterThan(0);
    expect(
      there.some(finding => !finding.root),
      `${place.rule} is explained`,
    ).toBe(true);
  }
  for (const rule of never) expect(serious.filter(finding => finding.rule === rule).map(shown)).toEqual([]);
}
