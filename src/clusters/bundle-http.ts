import type { HttpAnswer, HttpRequest, RawObject } from '../model/source.ts';
import { type ClusterFolder, eachAtOnce, orUndefined } from './bundle-cluster-folder.ts';

/** Writes the answers of components, and the index that says which file is which. */
export async function recordHttp(folder: ClusterFolder, atOnce: number): Promise<void> {
  const rows: { readonly file: string }[] = [];
  const used = new Set<string>();
  const asked = new Set<string>();
  const requests = folder.plan.http.filter(request => {
    const key = JSON.stringify(request);
    return !asked.has(key) && asked.add(key);
  });
  await eachAtOnce(requests, atOnce, async request => {
    const answer = await orUndefined(folder.source.http(request));
    if (!answer) return;
    const { body, cut } = withoutProse(request, answer);
    const text = folder.clean(body);
    const file = fileOf(request, answer, used);
    folder.count('http', text);
    await folder.write(`http/${file}`, text);
    const { via, namespace, name, port, path } = request;
    const { status, contentType } = answer;
    const where = via === 'node' ? { via, name, path } : { via, namespace, name, port, path };
    const row = { ...where, status, contentType, file, ...(cut ? { cut } : {}) };
    rows.push(row);
  });
  await folder.writeYaml(
    'http/index.yaml',
    rows.sort((a, b) => (a.file < b.file ? -1 : 1)),
  );
}

/** `namespace/pod/port/api_v1_rules.json` */
function fileOf(request: HttpRequest, { contentType }: HttpAnswer, used: Set<string>): string {
  const { via, namespace, name, port, path } = request;
  const folder = via === 'node' ? `nodes/${name}` : `${namespace}/${name}/${port}`;
  const words = path.replace(/[^A-Za-z0-9]+/g, '_').replace(/^_+|_+$/g, '') || 'root';
  const ending = /json/.test(contentType) ? 'json' : 'txt';
  let file = `${folder}/${words}.${ending}`;
  for (let number = 2; used.has(file); number += 1) file = `${folder}/${words}-${number}.${ending}`;
  used.add(file);
  return file;
}

/** What people wrote in alerts and silences is for people: the keys stay, the values go. */
function withoutProse(
  { path }: HttpRequest,
  { body, status }: HttpAnswer,
): { readonly body: string; readonly cut: string } {
  if (status !== 200 || !/^\/api\/v2\/(?:alerts|silences)(?:\?|$)/.test(path)) return { body, cut: '' };
  try {
    const rows: RawObject[] = JSON.parse(body);
    for (const row of rows) {
      for (const key in row.annotations) row.annotations[key] = '';
      if (typeof row.comment === 'string') row.comment = '';
    }
    return { body: JSON.stringify(rows), cut: path.startsWith('/api/v2/alerts') ? 'annotations' : 'comments' };
  } catch {
    return { body, cut: '' };
  }
}
