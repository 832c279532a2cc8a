import type { RawObject } from '../model/source.ts';
import { answer, statusAnswer, type WholeAnswer } from './answers.ts';
import type { ClusterRecording } from './recording.ts';

/** `GET …/pods/NAME/log`: the recorded log, cut as the query asks, or what the kubelet says where there is none. */
export async function podLog(
  recording: ClusterRecording,
  pod: RawObject,
  query: URLSearchParams,
): Promise<WholeAnswer> {
  const { namespace, name } = pod.metadata;
  const containers: readonly string[] = [...(pod.spec?.initContainers ?? []), ...(pod.spec?.containers ?? [])].map(
    container => container.name,
  );
  const asked = query.get('container') ?? '';
  const container = asked || (containers.length === 1 ? containers[0]! : '');
  if (container === '') {
    const choice = containers.join(' ');
    return badRequest(`a container name must be specified for pod ${name}, choose one of: [${choice}]`);
  }
  if (!containers.includes(container)) return badRequest(`container ${container} is not valid for pod ${name}`);
  const previous = query.get('previous') === 'true';
  const recorded = await recording.file(`logs/${namespace}/${name}/${container}${previous ? '.previous' : ''}.log`);
  if (recorded) return answer(200, 'text/plain', cut(Buffer.from(recorded), query, Date.parse(recording.takenAt)));
  if (previous) return badRequest(`previous terminated container "${container}" in pod "${name}" not found`);
  const waiting = statusOf(pod, container)?.state?.waiting;
  if (waiting) return badRequest(`container "${container}" in pod "${name}" is waiting to start: ${waiting.reason}`);
  return statusAnswer(501, 'NotImplemented', `the recording holds no log of ${container} in ${namespace}/${name}`);
}

function badRequest(message: string): WholeAnswer {
  return statusAnswer(400, 'BadRequest', message);
}

function statusOf(pod: RawObject, container: string): RawObject {
  const statuses = [...(pod.status?.initContainerStatuses ?? []), ...(pod.status?.containerStatuses ?? [])];
  return statuses.find(status => status.name === container);
}

/** Lines after `sinceSeconds` or `sinceTime`, of them the last `tailLines`, of that the first `limitBytes`. */
function cut(log: Buffer, query: URLSearchParams, now: number): Buffer {
  const lines = log.toString('utf8').split('\n');
  if (lines.at(-1) === '') lines.pop();
  const seconds = query.get('sinceSeconds');
  const since = seconds === null ? Date.parse(query.get('sinceTime') ?? '') : now - Number(seconds) * 1000;
  const tail = query.get('tailLines');
  const recent = Number.isNaN(since) ? lines : lines.filter(line => Date.parse(line.split(' ', 1)[0]!) >= since);
  const last = tail === null ? recent : recent.slice(recent.length - Math.min(Number(tail), recent.length));
  const shown = query.get('timestamps') === 'true' ? last : last.map(line => line.slice(line.indexOf(' ') + 1));
  const text = Buffer.from(shown.map(line => `${line}\n`).join(''));
  const limit = query.get('limitBytes');
  return limit === null ? text : text.subarray(0, Number(limit));
}
