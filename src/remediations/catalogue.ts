// Written by scripts/actions.mjs from the files in actions/.
import type { Action } from '../model/remediation.ts';
import { action as kubernetesDeletePod } from './actions/kubernetes.delete-pod.ts';
import { action as kubernetesDeleteStuckRevisionPod } from './actions/kubernetes.delete-stuck-revision-pod.ts';
import { action as kubernetesRestartWorkload } from './actions/kubernetes.restart-workload.ts';
import { action as kubernetesUncordonNode } from './actions/kubernetes.uncordon-node.ts';
import { action as thanosAllowPlainHttp } from './actions/thanos.allow-plain-http.ts';
import { action as thanosCorrectEndpoint } from './actions/thanos.correct-endpoint.ts';
import { action as thanosSetRegion } from './actions/thanos.set-region.ts';
import { action as thanosUseTls } from './actions/thanos.use-tls.ts';

const ALL: readonly Action[] = [
  kubernetesDeletePod,
  kubernetesDeleteStuckRevisionPod,
  kubernetesRestartWorkload,
  kubernetesUncordonNode,
  thanosAllowPlainHttp,
  thanosCorrectEndpoint,
  thanosSetRegion,
  thanosUseTls,
];

/** Every action that can be taken, by its id. */
export const ACTIONS: ReadonlyMap<string, Action> = new Map(ALL.map(action => [action.id, action]));
