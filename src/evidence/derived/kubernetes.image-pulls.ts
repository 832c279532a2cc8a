import type { ShapeOf } from '../../model/shape.ts';
import { type Context, derived } from '../collector.ts';
import { collector as eventsCollector } from '../collectors/kubernetes.events.ts';
import { gapOf, gapped, known } from '../gaps.ts';
import { REF } from '../objects.ts';
import { collector as containersCollector } from './kubernetes.containers.ts';

const ROW = {
  containerKey: 'str',
  pod: REF,
  workload: REF,
  node: 'str',
  container: 'str',
  current: 'bool',
  image: 'str',
  registry: 'str',
  reason: 'str',
  message: 'str',
  /** missing, architecture, name-invalid, unauthorized, rate-limited, registry, certificate, disk or other */
  class: 'str',
  since: 'time',
  waitingFor: 'int',
} as const;

type Pull = ShapeOf<typeof ROW>;
type Container = ShapeOf<typeof containersCollector.shape>[number];

const REASONS = new Set([
  'ErrImagePull',
  'ImagePullBackOff',
  'ErrImageNeverPull',
  'InvalidImageName',
  'ImageInspectError',
  'RegistryUnavailable',
  'SignatureValidationFailed',
]);

/** The first that matches counts: an architecture that is missing also ends in `not found`, a limit in `unauthorized`. */
const CLASSES: readonly (readonly [RegExp, string])[] = [
  [/no match for platform in manifest/, 'architecture'],
  [/couldn't parse image (?:name|reference)|invalid reference format/, 'name-invalid'],
  [/429 Too Many Requests|toomanyrequests/, 'rate-limited'],
  [/no space left on device/, 'disk'],
  [/x509: |server gave HTTP response to HTTPS client/, 'certificate'],
  [/\blookup \S+.*(?:no such host|server misbehaving|i\/o timeout)|dial tcp/, 'registry'],
  [/i\/o timeout|connection refused|no route to host|network is unreachable|TLS handshake timeout/, 'registry'],
  [/context deadline exceeded|\bEOF\b|\b50[0234] /, 'registry'],
  [/pull access denied|insufficient_scope|401 Unauthorized|403 Forbidden|no basic auth credentials/, 'unauthorized'],
  [/failed to fetch (?:anonymous|oauth) token|failed to authorize|unauthorized/, 'unauthorized'],
  [/: not found|manifest unknown|name unknown|code = NotFound/, 'missing'],
];

/** Why an image was not pulled, by what the container runtime says. */
export function classifyPull(reason: string, message: string): string {
  if (reason === 'InvalidImageName') return 'name-invalid';
  return CLASSES.find(([pattern]) => pattern.test(message))?.[1] ?? 'other';
}

/** The registry's host; Docker Hub's where the image names none. */
export function registryOf(image: string): string {
  const first = image.split('/')[0] ?? '';
  const isHost = image.includes('/') && (first.includes('.') || first.includes(':') || first === 'localhost');
  return isHost ? first : 'docker.io';
}

export const collector = derived({
  id: 'kubernetes.image-pulls',
  about: 'Containers that wait for their image, and what the registry or the runtime answered.',
  core: true,
  shape: [ROW],
  async collect(context) {
    const rows: Pull[] = [];
    for (const container of await context.get(containersCollector)) {
      if (gapOf(container)) rows.push(container as never);
      else if (container.state === 'waiting' && REASONS.has(container.reason) && !container.podDeleting) {
        rows.push(await rowOf(container, context));
      }
    }
    return rows;
  },
});

async function rowOf(one: Container, context: Context): Promise<Pull> {
  const byStatus = classifyPull(one.reason, one.message);
  const message = byStatus === 'other' ? (await failedPull(one, context)) || one.message : one.message;
  return {
    containerKey: one.containerKey,
    pod: one.pod,
    workload: one.workload,
    node: one.node,
    container: one.container,
    current: one.current,
    image: one.image,
    registry: registryOf(one.image),
    reason: one.reason,
    message,
    class: classifyPull(one.reason, message),
    since: one.last.finished,
    waitingFor: one.last.finishedAge >= 0 ? one.last.finishedAge : one.podAge,
  };
}

/** Before 1.32 the state says only that it backs off; the runtime's words are in an event. */
async function failedPull({ pod, image }: Container, context: Context): Promise<string> {
  const events = await gapped(context.get(eventsCollector));
  if (gapOf(events)) return '';
  return (
    known(events)
      .filter(event => event.object.uid === pod.uid && event.message.startsWith(`Failed to pull image "${image}"`))
      .sort((first, second) => first.lastAge - second.lastAge)[0]?.message ?? ''
  );
}
