import type { ShapeOf } from '../model/shape.ts';
import type { RawObject } from '../model/source.ts';
import { kept, ofSiblings, volumeName } from './interning.ts';
import { age, flag, list, number, text, textOrNumber } from './objects.ts';
import { bytes, millicores } from './quantities.ts';

/** Millicores and bytes. */
const RESOURCES = { cpu: 'int', memory: 'int', storage: 'int' } as const;

/** `budget` is the longest time in seconds that the probe lets pass before it gives up; `kind` is '' without a probe. */
const PROBE = {
  kind: 'str',
  path: 'str',
  port: 'str',
  delay: 'int',
  period: 'int',
  failures: 'int',
  timeout: 'int',
  budget: 'int',
} as const;

/** What a pod template or a pod says of a container. No value of an environment variable is kept. */
export const CONTAINER_SPEC = {
  container: 'str',
  /** init, sidecar (an init container that is restarted always) or main */
  kind: 'str',
  image: 'str',
  imageTag: 'str',
  pullPolicy: 'str',
  command: ['str'],
  args: ['str'],
  /** `fromField` is the pod's own field that gives the value. */
  env: [{ name: 'str', fromSecret: 'str', fromConfigMap: 'str', fromField: 'str', key: 'str', optional: 'bool' }],
  envFrom: [{ fromSecret: 'str', fromConfigMap: 'str', prefix: 'str', optional: 'bool' }],
  ports: [{ name: 'str', port: 'int', hostPort: 'int', protocol: 'str' }],
  requests: RESOURCES,
  limits: RESOURCES,
  mounts: [{ volume: 'str', path: 'str', subPath: 'str', readOnly: 'bool' }],
  probes: { startup: PROBE, readiness: PROBE, liveness: PROBE },
  /** -1 where nothing is said. */
  runAsUser: 'int',
  runAsNonRoot: 'bool',
  /** Value of PROVISIONER_NAME, by which provisioners that are no CSI drivers are told their name. */
  provisioner: 'str',
} as const;

const TERMINATION = {
  /** -1 if there was none */
  exitCode: 'int',
  reason: 'str',
  message: 'str',
  signal: 'int',
  started: 'time',
  finished: 'time',
  finishedAge: 'int',
  ranFor: 'int',
} as const;

/** What the kubelet says of a container, beside its specification. */
export const CONTAINER_STATUS = {
  /** running, waiting, terminated, or '' where the kubelet has said nothing yet */
  state: 'str',
  reason: 'str',
  message: 'str',
  runningSince: 'time',
  runningAge: 'int',
  started: 'bool',
  ready: 'bool',
  restarts: 'int',
  imageId: 'str',
  /** The last exit: of the state if that is terminated, else of the run before. */
  last: TERMINATION,
  /** The exit of the run before; the same as `last` unless the container is terminated now. */
  before: TERMINATION,
  /** It starts and ends again and again: waiting for its next try, or running in the middle of it. */
  crashLooping: 'bool',
  outOfMemory: 'bool',
  /** Seconds since the newest of the two known exits that were for want of memory; -1 for none. */
  outOfMemoryAge: 'int',
} as const;

export type ContainerSpec = ShapeOf<typeof CONTAINER_SPEC>;
export type ContainerStatus = ShapeOf<typeof CONTAINER_STATUS>;

interface Now {
  readonly takenAt: number;
}

/** An exit longer ago than this is history (seconds). */
const RECENT_EXIT = 1800;
const LOOP_RESTARTS = 3;

/** Every container of a pod specification: init and sidecar containers first, as they start. */
export function containerSpecs(spec: RawObject): readonly ContainerSpec[] {
  const { runAsUser, runAsNonRoot } = spec?.securityContext ?? {};
  const security = `${number(runAsUser, -1)} ${flag(runAsNonRoot)}`;
  return [
    ...list(spec?.initContainers).map(raw =>
      containerSpec(raw, `${raw?.restartPolicy === 'Always' ? 'sidecar' : 'init'} ${security}`),
    ),
    ...list(spec?.containers).map(raw => containerSpec(raw, `main ${security}`)),
  ];
}

/** `setting` is the kind, and what the pod says of users where the container says nothing. */
const containerSpec = ofSiblings((raw, setting: string): ContainerSpec => {
  const image = text(raw?.image);
  const [kind = '', user, nonRoot] = setting.split(' ');
  return {
    container: text(raw?.name),
    kind,
    image,
    imageTag: tagOf(image),
    pullPolicy: text(raw?.imagePullPolicy),
    command: list(raw?.command).map(text),
    args: list(raw?.args).map(text),
    env: list(raw?.env).map(variable),
    envFrom: list(raw?.envFrom).map(from => ({
      fromSecret: text(from?.secretRef?.name),
      fromConfigMap: text(from?.configMapRef?.name),
      prefix: text(from?.prefix),
      optional: flag(from?.secretRef?.optional) || flag(from?.configMapRef?.optional),
    })),
    ports: list(raw?.ports).map(port => ({
      name: text(port?.name),
      port: number(port?.containerPort),
      hostPort: number(port?.hostPort),
      protocol: text(port?.protocol) || 'TCP',
    })),
    requests: resources(raw?.resources?.requests),
    limits: resources(raw?.resources?.limits),
    mounts: list(raw?.volumeMounts).map(mount => ({
      volume: volumeName(text(mount?.name)),
      path: text(mount?.mountPath),
      subPath: text(mount?.subPath) || text(mount?.subPathExpr),
      readOnly: flag(mount?.readOnly),
    })),
    probes: {
      startup: probe(raw?.startupProbe),
      readiness: probe(raw?.readinessProbe),
      liveness: probe(raw?.livenessProbe),
    },
    runAsUser: number(raw?.securityContext?.runAsUser, Number(user)),
    runAsNonRoot: flag(raw?.securityContext?.runAsNonRoot, nonRoot === 'true'),
    provisioner: text(list(raw?.env).find(variable => variable?.name === 'PROVISIONER_NAME')?.value),
  };
});

/** Those without a reference differ in their names alone. */
const plainVariable = kept<ContainerSpec['env'][number]>();

function variable(raw: RawObject): ContainerSpec['env'][number] {
  const from = raw?.valueFrom;
  const name = text(raw?.name);
  return from === undefined ? plainVariable(name, () => variableOf(name, from)) : variableOf(name, from);
}

function variableOf(name: string, from: RawObject): ContainerSpec['env'][number] {
  return {
    name,
    fromSecret: text(from?.secretKeyRef?.name),
    fromConfigMap: text(from?.configMapKeyRef?.name),
    fromField: text(from?.fieldRef?.fieldPath),
    key: text(from?.secretKeyRef?.key) || text(from?.configMapKeyRef?.key),
    optional: flag(from?.secretKeyRef?.optional) || flag(from?.configMapKeyRef?.optional),
  };
}

/** The tag of an image reference; '' where it has none or only a digest. */
export function tagOf(image: string): string {
  const name = image.split('@')[0] as string;
  return /:([^/:]+)$/.exec(name)?.[1] ?? '';
}

function resources(raw: RawObject) {
  return { cpu: millicores(raw?.cpu), memory: bytes(raw?.memory), storage: bytes(raw?.['ephemeral-storage']) };
}

const knownProbe = kept<ShapeOf<typeof PROBE>>();

function probe(raw: RawObject): ShapeOf<typeof PROBE> {
  const kind = raw?.httpGet ? 'http' : raw?.tcpSocket ? 'tcp' : raw?.grpc ? 'grpc' : raw?.exec ? 'exec' : '';
  const target = raw?.httpGet ?? raw?.tcpSocket ?? raw?.grpc;
  const absent = kind === '' ? 0 : undefined;
  const delay = number(raw?.initialDelaySeconds);
  const period = number(raw?.periodSeconds, absent ?? 10);
  const failures = number(raw?.failureThreshold, absent ?? 3);
  const found = {
    kind,
    path: text(raw?.httpGet?.path),
    port: textOrNumber(target?.port),
    delay,
    period,
    failures,
    timeout: number(raw?.timeoutSeconds, absent ?? 1),
    budget: delay + period * failures,
  };
  return knownProbe(JSON.stringify(found), () => found);
}

const NO_EXIT: ShapeOf<typeof TERMINATION> = Object.freeze({
  exitCode: -1,
  reason: '',
  message: '',
  signal: 0,
  started: '',
  finished: '',
  finishedAge: -1,
  ranFor: 0,
});

const knownImages = kept<string>();
/** Long texts, each of which many containers have. */
const sameImage = (id: string) => knownImages(id, () => id);

/** What the kubelet says of one container; `raw` is undefined where it has said nothing yet. */
export function containerStatus(raw: RawObject, now: Now): ContainerStatus {
  const state = raw?.state;
  const terminated = exit(state?.terminated, now);
  const before = exit(raw?.lastState?.terminated, now);
  const last = terminated.exitCode === -1 ? before : terminated;
  const started = flag(raw?.started);
  const restarts = number(raw?.restartCount);
  const running = text(state?.running?.startedAt);
  const reason = text(state?.waiting?.reason) || text(state?.terminated?.reason);
  const killed = [last, before].find(one => one.reason === 'OOMKilled');
  return {
    state: state?.running ? 'running' : state?.waiting ? 'waiting' : state?.terminated ? 'terminated' : '',
    reason,
    message: text(state?.waiting?.message) || text(state?.terminated?.message),
    runningSince: running,
    runningAge: age(now, running),
    started,
    ready: flag(raw?.ready),
    restarts,
    imageId: sameImage(text(raw?.imageID)),
    last,
    before,
    crashLooping:
      reason === 'CrashLoopBackOff' ||
      (restarts >= LOOP_RESTARTS && isRecent(last) && (!started || mayEndAgain(age(now, running), last))),
    outOfMemory: killed !== undefined,
    outOfMemoryAge: killed?.finishedAge ?? -1,
  };
}

function isRecent(last: ShapeOf<typeof TERMINATION>): boolean {
  return last.finishedAge >= 0 && last.finishedAge <= RECENT_EXIT;
}

/** It runs, but not yet for longer than the run before did: a look in the middle of a loop is no recovery. */
function mayEndAgain(runningAge: number, last: ShapeOf<typeof TERMINATION>): boolean {
  return runningAge >= 0 && runningAge <= Math.max(60, 2 * last.ranFor) && runningAge <= RECENT_EXIT;
}

function exit(raw: RawObject, now: Now): ShapeOf<typeof TERMINATION> {
  if (!raw) return NO_EXIT;
  const started = text(raw.startedAt);
  const finished = text(raw.finishedAt);
  return {
    exitCode: number(raw.exitCode),
    reason: text(raw.reason),
    message: text(raw.message),
    signal: number(raw.signal),
    started,
    finished,
    finishedAge: age(now, finished),
    ranFor: started && finished ? Math.max(0, Math.round((Date.parse(finished) - Date.parse(started)) / 1000)) : 0,
  };
}

/** A container of the pod runs and has not used up its startup budget. */
export function isStarting(pod: {
  readonly containers: readonly (Pick<ContainerSpec, 'probes'> &
    Pick<ContainerStatus, 'state' | 'started' | 'runningAge'>)[];
}): boolean {
  return pod.containers.some(
    one => one.state === 'running' && !one.started && one.runningAge <= one.probes.startup.budget,
  );
}
