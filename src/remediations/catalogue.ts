// Written by scripts/actions.mjs from the files in actions/.
import type { Action } from '../model/remediation.ts';
import { action as bucketCreate } from './actions/bucket.create.ts';
import { action as bucketMarkDuplicateForDeletion } from './actions/bucket.mark-duplicate-for-deletion.ts';
import { action as bucketMarkNoCompact } from './actions/bucket.mark-no-compact.ts';
import { action as bucketUnmark } from './actions/bucket.unmark.ts';
import { action as ciliumAnnounceLoadBalancerAddresses } from './actions/cilium.announce-load-balancer-addresses.ts';
import { action as ciliumExtendAddressPool } from './actions/cilium.extend-address-pool.ts';
import { action as ciliumRestartOperator } from './actions/cilium.restart-operator.ts';
import { action as grafanaSetDatasourceUrl } from './actions/grafana.set-datasource-url.ts';
import { action as kubernetesDeleteEvictedPods } from './actions/kubernetes.delete-evicted-pods.ts';
import { action as kubernetesDeletePod } from './actions/kubernetes.delete-pod.ts';
import { action as kubernetesDeleteStuckRevisionPod } from './actions/kubernetes.delete-stuck-revision-pod.ts';
import { action as kubernetesExpandClaim } from './actions/kubernetes.expand-claim.ts';
import { action as kubernetesRaiseMemoryLimit } from './actions/kubernetes.raise-memory-limit.ts';
import { action as kubernetesRestartWorkload } from './actions/kubernetes.restart-workload.ts';
import { action as kubernetesScaleWorkload } from './actions/kubernetes.scale-workload.ts';
import { action as kubernetesSetDefaultStorageClass } from './actions/kubernetes.set-default-storage-class.ts';
import { action as kubernetesSetIngressClass } from './actions/kubernetes.set-ingress-class.ts';
import { action as kubernetesUncordonNode } from './actions/kubernetes.uncordon-node.ts';
import { action as kubernetesUndoRollout } from './actions/kubernetes.undo-rollout.ts';
import { action as kubernetesUseRecreateStrategy } from './actions/kubernetes.use-recreate-strategy.ts';
import { action as longhornAllowScheduling } from './actions/longhorn.allow-scheduling.ts';
import { action as longhornSetDefaultReplicaCount } from './actions/longhorn.set-default-replica-count.ts';
import { action as longhornSetReplicaCount } from './actions/longhorn.set-replica-count.ts';
import { action as monitoringAddSelectorLabel } from './actions/monitoring.add-selector-label.ts';
import { action as monitoringInstallAlerts } from './actions/monitoring.install-alerts.ts';
import { action as monitoringNameServicePort } from './actions/monitoring.name-service-port.ts';
import { action as monitoringReplaceDeadAlert } from './actions/monitoring.replace-dead-alert.ts';
import { action as monitoringSetMonitorPort } from './actions/monitoring.set-monitor-port.ts';
import { action as networkAllowScrape } from './actions/network.allow-scrape.ts';
import { action as prometheusExtendStartupBudget } from './actions/prometheus.extend-startup-budget.ts';
import { action as prometheusGrowClaim } from './actions/prometheus.grow-claim.ts';
import { action as prometheusLengthenRetention } from './actions/prometheus.lengthen-retention.ts';
import { action as prometheusQuarantineBlock } from './actions/prometheus.quarantine-block.ts';
import { action as prometheusRaiseMemoryLimit } from './actions/prometheus.raise-memory-limit.ts';
import { action as prometheusSetBlockDuration } from './actions/prometheus.set-block-duration.ts';
import { action as prometheusSetExternalLabels } from './actions/prometheus.set-external-labels.ts';
import { action as prometheusSetObjstoreKey } from './actions/prometheus.set-objstore-key.ts';
import { action as prometheusUnpause } from './actions/prometheus.unpause.ts';
import { action as thanosAllowPlainHttp } from './actions/thanos.allow-plain-http.ts';
import { action as thanosCorrectEndpoint } from './actions/thanos.correct-endpoint.ts';
import { action as thanosCorrectEndpointPort } from './actions/thanos.correct-endpoint-port.ts';
import { action as thanosRestartHaltedCompactor } from './actions/thanos.restart-halted-compactor.ts';
import { action as thanosSetFlag } from './actions/thanos.set-flag.ts';
import { action as thanosSetRegion } from './actions/thanos.set-region.ts';
import { action as thanosStopSecondCompactor } from './actions/thanos.stop-second-compactor.ts';
import { action as thanosUseTls } from './actions/thanos.use-tls.ts';

const ALL: readonly Action[] = [
  bucketCreate,
  bucketMarkDuplicateForDeletion,
  bucketMarkNoCompact,
  bucketUnmark,
  ciliumAnnounceLoadBalancerAddresses,
  ciliumExtendAddressPool,
  ciliumRestartOperator,
  grafanaSetDatasourceUrl,
  kubernetesDeleteEvictedPods,
  kubernetesDeletePod,
  kubernetesDeleteStuckRevisionPod,
  kubernetesExpandClaim,
  kubernetesRaiseMemoryLimit,
  kubernetesRestartWorkload,
  kubernetesScaleWorkload,
  kubernetesSetDefaultStorageClass,
  kubernetesSetIngressClass,
  kubernetesUncordonNode,
  kubernetesUndoRollout,
  kubernetesUseRecreateStrategy,
  longhornAllowScheduling,
  longhornSetDefaultReplicaCount,
  longhornSetReplicaCount,
  monitoringAddSelectorLabel,
  monitoringInstallAlerts,
  monitoringNameServicePort,
  monitoringReplaceDeadAlert,
  monitoringSetMonitorPort,
  networkAllowScrape,
  prometheusExtendStartupBudget,
  prometheusGrowClaim,
  prometheusLengthenRetention,
  prometheusQuarantineBlock,
  prometheusRaiseMemoryLimit,
  prometheusSetBlockDuration,
  prometheusSetExternalLabels,
  prometheusSetObjstoreKey,
  prometheusUnpause,
  thanosAllowPlainHttp,
  thanosCorrectEndpoint,
  thanosCorrectEndpointPort,
  thanosRestartHaltedCompactor,
  thanosSetFlag,
  thanosSetRegion,
  thanosStopSecondCompactor,
  thanosUseTls,
];

/** Every action that can be taken, by its id. */
export const ACTIONS: ReadonlyMap<string, Action> = new Map(ALL.map(action => [action.id, action]));
