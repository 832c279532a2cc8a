import { parse } from 'yaml';
import { GapSignal } from '../../model/gap.ts';
import type { Action, ApiReader, PlanInput, PodPort, Step, TextLine } from '../../model/remediation.ts';
import type { RawObject } from '../../model/source.ts';
import { refuseCredentials } from '../credentials.ts';
import { rowsOf } from '../evidence-rows.ts';
import { guard, passed } from '../guards.ts';
import { editedText } from '../perform.ts';
import { Refusal } from '../refusal.ts';
import { RESTART_ACCESS, restartDraft } from '../restart-workload.ts';
import { existing } from '../steps.ts';
import { nameOf, targetOf, targetOfKey } from '../targets.ts';
import { undoStepsOf } from '../undo.ts';
import { isReady } from '../workloads.ts';
import { scalarAt } from '../yaml-text.ts';

/** What a Prometheus, and what a Thanos Query answers with 200. */
const ASKED = ['/api/v1/status/buildinfo', '/api/v1/stores'];

export const action: Action = {
  id: 'grafana.set-datasource-url',
  title: 'let the datasource point to the port that answers',
  risk: 'restart',
  parameters: { configMap: 'needed', datasource: 'needed' },
  access: [
    { verbs: ['get', 'patch'], group: '', resource: 'configmaps' },
    { verbs: ['get'], group: '', resource: 'services' },
    { verbs: ['list'], group: '', resource: 'pods' },
    { verbs: ['get'], group: '', resource: 'pods/proxy' },
    ...RESTART_ACCESS,
  ],
  async plan(input) {
    const target = targetOfKey(input.parameters.configMap);
    if (target.kind !== 'ConfigMap') throw new Refusal('provisioned', `${nameOf(target)} is no ConfigMap`);
    const name = input.parameters.datasource ?? '';
    const object = await existing(input.api, target);
    const { key, text, path } = placeOf(object, name);
    const written = scalarAt(text, path) ?? '';
    const [, quote = '', start, host, rest = ''] =
      /^(["']?)(https?:\/\/)([^/:@$"']+)(?::\d+)?([^@"']*)\1$/.exec(written) ?? [];
    if (!start || !host)
      throw new Refusal('one-candidate', `what ${name} points to is not written as a plain address, host and port`);
    refuseCredentials(written, nameOf(target));
    const row = (await rowsOf(input.evidence, 'grafana.datasources')).find(
      entry => entry.object.key === nameOf(target) && entry.name === name,
    );
    if (!row?.service.name) throw new Refusal('one-candidate', `the Service that ${name} means is not known`);
    const ports = await answeringPorts(input, row.service);
    const [port] = ports;
    if (port === undefined)
      throw new Refusal(
        'target-answers',
        `no port of Service ${row.service.namespace}/${row.service.name} answers as a Prometheus does`,
      );
    const line: TextLine = {
      path,
      before: written,
      after: `${quote}${start}${host}:${port}${rest}${quote}`,
      besides: 'name',
    };
    if (line.before === line.after) throw new Refusal('something-to-change', `${name} points there already`);
    editedText(text, [line]);
    const edit: Step = {
      do: 'edit-text',
      title: `point datasource ${name} of ${nameOf(target)} to ${host}:${port}`,
      target,
      uid: object.metadata.uid,
      edit: { key, lines: [line] },
    };
    const verify = { what: `${input.finding.rule} is healthy`, seconds: 180 };
    const grafana = targetOfKey(row.grafana.key);
    const workload = await existing(input.api, grafana);
    // A sidecar that reloads makes a restart needless.
    const restart = reloads(workload) ? undefined : await restartDraft(input, [grafana], verify);
    const again = restart?.steps ?? [];
    return {
      steps: [edit, ...again],
      guards: [
        passed('provisioned', 'a ConfigMap provisions it'),
        passed('target-answers', 'the new address answers'),
        await guard(
          'one-candidate',
          'one port can be meant',
          () => ports.length === 1 || `ports ${ports.join(' and ')} of it answer: which one is meant, you decide`,
        ),
        ...(restart?.guards ?? []),
      ],
      riskText: restart ? 'Grafana restarts, and shows nothing meanwhile' : 'Grafana reloads its datasources',
      verify,
      undo: { what: 'writes the old address back', steps: [...undoStepsOf([edit]), ...again] },
      mends: true,
    };
  },
};

/** Where the address of a datasource stands. Refuses where it stands at several places. */
function placeOf(object: RawObject, name: string): { key: string; text: string; path: readonly string[] } {
  const places = Object.entries(object.data ?? {}).flatMap(([key, value]) => {
    const text = String(value);
    return datasourcesIn(text).flatMap((entry, index) =>
      entry?.name === name ? [{ key, text, path: ['datasources', String(index), 'url'] }] : [],
    );
  });
  const [place] = places;
  if (places.length !== 1 || !place)
    throw new Refusal(
      'provisioned',
      `ConfigMap ${object.metadata.name} has ${places.length} datasources of name ${name}`,
    );
  return place;
}

function datasourcesIn(text: string): readonly RawObject[] {
  try {
    const found = parse(text, { prettyErrors: false, logLevel: 'silent' })?.datasources;
    return Array.isArray(found) ? found : [];
  } catch {
    return [];
  }
}

/** Ports of the Service at which a ready pod behind it answers as a Prometheus does. */
async function answeringPorts({ api }: PlanInput, { namespace, name }: RawObject): Promise<readonly number[]> {
  const service = await existing(api, targetOf('Service', namespace, name));
  const selector = Object.entries(service.spec?.selector ?? {}).map(([label, value]) => `${label}=${value}`);
  if (selector.length === 0) return [];
  const pod = (await api.list('', 'pods', namespace, selector.join(','))).find(isReady);
  if (!pod) return [];
  const answering: number[] = [];
  let unknown: GapSignal | undefined;
  for (const { port, targetPort } of service.spec?.ports ?? []) {
    const number = portOf(pod, targetPort ?? port);
    if (number === undefined) continue;
    const place = { namespace, pod: pod.metadata.name, port: number, scheme: '' } as const;
    try {
      if (await answers(api, place)) answering.push(port);
    } catch (error) {
      if (!(error instanceof GapSignal)) throw error;
      unknown ??= error;
    }
  }
  // One that answers is enough; with none, what was not told counts.
  if (answering.length === 0 && unknown) throw unknown;
  return answering;
}

async function answers(api: ApiReader, place: PodPort): Promise<boolean> {
  for (const path of ASKED) if ((await api.podAnswer(place, path)).status === 200) return true;
  return false;
}

function portOf(pod: RawObject, targetPort: string | number): number | undefined {
  if (typeof targetPort === 'number') return targetPort;
  const ports: readonly RawObject[] = (pod.spec?.containers ?? []).flatMap(
    (container: RawObject) => container.ports ?? [],
  );
  return ports.find(({ name }) => name === targetPort)?.containerPort;
}

/** A container beside Grafana that watches ConfigMaps of datasources, and tells it to read them again. */
function reloads(workload: RawObject): boolean {
  return (workload.spec?.template?.spec?.containers ?? []).some((container: RawObject) => {
    const variable = (name: string) =>
      (container.env ?? []).find((entry: RawObject) => entry.name === name)?.value ?? '';
    return variable('LABEL') === 'grafana_datasource' && variable('REQ_URL') !== '' && variable('METHOD') !== 'LIST';
  });
}
