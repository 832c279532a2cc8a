// Written by scripts/catalogue.mjs: one line a file in collectors/ and derived/.
import { collector as accessFailures } from './collectors/access.failures.ts';
import { collector as accessPermissions } from './collectors/access.permissions.ts';
import { collector as alertmanagerAlerts } from './collectors/alertmanager.alerts.ts';
import { collector as alertmanagerSilences } from './collectors/alertmanager.silences.ts';
import { collector as alertmanagerStatus } from './collectors/alertmanager.status.ts';
import { collector as bucketAnswer } from './collectors/bucket.answer.ts';
import { collector as bucketBlocks } from './collectors/bucket.blocks.ts';
import { collector as bucketSettings } from './collectors/bucket.settings.ts';
import { collector as ciliumL2Policies } from './collectors/cilium.l2-policies.ts';
import { collector as ciliumNetworkPolicies } from './collectors/cilium.network-policies.ts';
import { collector as ciliumPools } from './collectors/cilium.pools.ts';
import { collector as fleetExpectations } from './collectors/fleet.expectations.ts';
import { collector as grafanaHealth } from './collectors/grafana.health.ts';
import { collector as grafanaRequests } from './collectors/grafana.requests.ts';
import { collector as kubernetesApiServices } from './collectors/kubernetes.api-services.ts';
import { collector as kubernetesCertificateSigningRequests } from './collectors/kubernetes.certificate-signing-requests.ts';
import { collector as kubernetesConfigMaps } from './collectors/kubernetes.config-maps.ts';
import { collector as kubernetesControllerRevisions } from './collectors/kubernetes.controller-revisions.ts';
import { collector as kubernetesCronJobs } from './collectors/kubernetes.cron-jobs.ts';
import { collector as kubernetesCsiDrivers } from './collectors/kubernetes.csi-drivers.ts';
import { collector as kubernetesCsiNodes } from './collectors/kubernetes.csi-nodes.ts';
import { collector as kubernetesCustomResourceDefinitions } from './collectors/kubernetes.custom-resource-definitions.ts';
import { collector as kubernetesDaemonSets } from './collectors/kubernetes.daemon-sets.ts';
import { collector as kubernetesDeployments } from './collectors/kubernetes.deployments.ts';
import { collector as kubernetesDiscovery } from './collectors/kubernetes.discovery.ts';
import { collector as kubernetesEndpointSlices } from './collectors/kubernetes.endpoint-slices.ts';
import { collector as kubernetesEvents } from './collectors/kubernetes.events.ts';
import { collector as kubernetesHorizontalPodAutoscalers } from './collectors/kubernetes.horizontal-pod-autoscalers.ts';
import { collector as kubernetesIngresses } from './collectors/kubernetes.ingresses.ts';
import { collector as kubernetesJobs } from './collectors/kubernetes.jobs.ts';
import { collector as kubernetesLeases } from './collectors/kubernetes.leases.ts';
import { collector as kubernetesNamespaces } from './collectors/kubernetes.namespaces.ts';
import { collector as kubernetesNetworkPolicies } from './collectors/kubernetes.network-policies.ts';
import { collector as kubernetesNodeStatistics } from './collectors/kubernetes.node-statistics.ts';
import { collector as kubernetesNodes } from './collectors/kubernetes.nodes.ts';
import { collector as kubernetesPersistentVolumeClaims } from './collectors/kubernetes.persistent-volume-claims.ts';
import { collector as kubernetesPersistentVolumes } from './collectors/kubernetes.persistent-volumes.ts';
import { collector as kubernetesPodDisruptionBudgets } from './collectors/kubernetes.pod-disruption-budgets.ts';
import { collector as kubernetesPods } from './collectors/kubernetes.pods.ts';
import { collector as kubernetesPriorityClasses } from './collectors/kubernetes.priority-classes.ts';
import { collector as kubernetesReplicaSets } from './collectors/kubernetes.replica-sets.ts';
import { collector as kubernetesResourceQuotas } from './collectors/kubernetes.resource-quotas.ts';
import { collector as kubernetesServer } from './collectors/kubernetes.server.ts';
import { collector as kubernetesServiceAccounts } from './collectors/kubernetes.service-accounts.ts';
import { collector as kubernetesServices } from './collectors/kubernetes.services.ts';
import { collector as kubernetesStatefulSets } from './collectors/kubernetes.stateful-sets.ts';
import { collector as kubernetesStorageClasses } from './collectors/kubernetes.storage-classes.ts';
import { collector as kubernetesUsage } from './collectors/kubernetes.usage.ts';
import { collector as kubernetesVolumeAttachments } from './collectors/kubernetes.volume-attachments.ts';
import { collector as kubernetesWebhooks } from './collectors/kubernetes.webhooks.ts';
import { collector as logsSignatures } from './collectors/logs.signatures.ts';
import { collector as longhornEngineImages } from './collectors/longhorn.engine-images.ts';
import { collector as longhornEngines } from './collectors/longhorn.engines.ts';
import { collector as longhornInstanceManagers } from './collectors/longhorn.instance-managers.ts';
import { collector as longhornNodes } from './collectors/longhorn.nodes.ts';
import { collector as longhornOrphans } from './collectors/longhorn.orphans.ts';
import { collector as longhornRecurringJobs } from './collectors/longhorn.recurring-jobs.ts';
import { collector as longhornReplicas } from './collectors/longhorn.replicas.ts';
import { collector as longhornSettings } from './collectors/longhorn.settings.ts';
import { collector as longhornSnapshots } from './collectors/longhorn.snapshots.ts';
import { collector as longhornVolumeAttachments } from './collectors/longhorn.volume-attachments.ts';
import { collector as longhornVolumes } from './collectors/longhorn.volumes.ts';
import { collector as minioHealth } from './collectors/minio.health.ts';
import { collector as minioMetrics } from './collectors/minio.metrics.ts';
import { collector as networkProbe } from './collectors/network.probe.ts';
import { collector as prometheusOperatorAgents } from './collectors/prometheus-operator.agents.ts';
import { collector as prometheusOperatorAlertmanagerConfigs } from './collectors/prometheus-operator.alertmanager-configs.ts';
import { collector as prometheusOperatorAlertmanagers } from './collectors/prometheus-operator.alertmanagers.ts';
import { collector as prometheusOperatorMonitors } from './collectors/prometheus-operator.monitors.ts';
import { collector as prometheusOperatorPrometheuses } from './collectors/prometheus-operator.prometheuses.ts';
import { collector as prometheusOperatorRules } from './collectors/prometheus-operator.rules.ts';
import { collector as prometheusOperatorThanosRulers } from './collectors/prometheus-operator.thanos-rulers.ts';
import { collector as prometheusAlertmanagers } from './collectors/prometheus.alertmanagers.ts';
import { collector as prometheusAlerts } from './collectors/prometheus.alerts.ts';
import { collector as prometheusConfig } from './collectors/prometheus.config.ts';
import { collector as prometheusFlags } from './collectors/prometheus.flags.ts';
import { collector as prometheusMetricNames } from './collectors/prometheus.metric-names.ts';
import { collector as prometheusMetrics } from './collectors/prometheus.metrics.ts';
import { collector as prometheusQuery } from './collectors/prometheus.query.ts';
import { collector as prometheusRules } from './collectors/prometheus.rules.ts';
import { collector as prometheusRuntime } from './collectors/prometheus.runtime.ts';
import { collector as prometheusTargets } from './collectors/prometheus.targets.ts';
import { collector as prometheusTsdb } from './collectors/prometheus.tsdb.ts';
import { collector as thanosEndpointReach } from './collectors/thanos.endpoint-reach.ts';
import { collector as thanosLoadedBlocks } from './collectors/thanos.loaded-blocks.ts';
import { collector as thanosMetrics } from './collectors/thanos.metrics.ts';
import { collector as thanosObjectStores } from './collectors/thanos.object-stores.ts';
import { collector as thanosQueryAnswer } from './collectors/thanos.query-answer.ts';
import { collector as thanosQueryStores } from './collectors/thanos.query-stores.ts';
import { collector as thanosReadiness } from './collectors/thanos.readiness.ts';
import { collector as accessAccounts } from './derived/access.accounts.ts';
import { collector as accessAnswers } from './derived/access.answers.ts';
import { collector as alertmanagerInstances } from './derived/alertmanager.instances.ts';
import { collector as alertmanagerRouting } from './derived/alertmanager.routing.ts';
import { collector as bucketGroups } from './derived/bucket.groups.ts';
import { collector as bucketHoles } from './derived/bucket.holes.ts';
import { collector as bucketLocalCompaction } from './derived/bucket.local-compaction.ts';
import { collector as bucketProducers } from './derived/bucket.producers.ts';
import { collector as bucketUpkeep } from './derived/bucket.upkeep.ts';
import { collector as ciliumConfig } from './derived/cilium.config.ts';
import { collector as ciliumLoadBalancers } from './derived/cilium.load-balancers.ts';
import { collector as ciliumPendingAddresses } from './derived/cilium.pending-addresses.ts';
import { collector as ciliumPolicyValidity } from './derived/cilium.policy-validity.ts';
import { collector as fleetAddressPools } from './derived/fleet.address-pools.ts';
import { collector as fleetAddresses } from './derived/fleet.addresses.ts';
import { collector as fleetBuckets } from './derived/fleet.buckets.ts';
import { collector as fleetCertificates } from './derived/fleet.certificates.ts';
import { collector as fleetClocks } from './derived/fleet.clocks.ts';
import { collector as fleetClusterLabel } from './derived/fleet.cluster-label.ts';
import { collector as fleetClusters } from './derived/fleet.clusters.ts';
import { collector as fleetEdgeSettings } from './derived/fleet.edge-settings.ts';
import { collector as fleetEndpoints } from './derived/fleet.endpoints.ts';
import { collector as fleetProducers } from './derived/fleet.producers.ts';
import { collector as fleetReachability } from './derived/fleet.reachability.ts';
import { collector as fleetStoreCount } from './derived/fleet.store-count.ts';
import { collector as grafanaDatasources } from './derived/grafana.datasources.ts';
import { collector as grafanaInstances } from './derived/grafana.instances.ts';
import { collector as kubernetesClock } from './derived/kubernetes.clock.ts';
import { collector as kubernetesContainers } from './derived/kubernetes.containers.ts';
import { collector as kubernetesCrashes } from './derived/kubernetes.crashes.ts';
import { collector as kubernetesCreateFailures } from './derived/kubernetes.create-failures.ts';
import { collector as kubernetesImagePulls } from './derived/kubernetes.image-pulls.ts';
import { collector as kubernetesLoggedClocks } from './derived/kubernetes.logged-clocks.ts';
import { collector as kubernetesNodeCapacity } from './derived/kubernetes.node-capacity.ts';
import { collector as kubernetesOwners } from './derived/kubernetes.owners.ts';
import { collector as kubernetesReferences } from './derived/kubernetes.references.ts';
import { collector as kubernetesScheduling } from './derived/kubernetes.scheduling.ts';
import { collector as kubernetesScope } from './derived/kubernetes.scope.ts';
import { collector as kubernetesServiceBackends } from './derived/kubernetes.service-backends.ts';
import { collector as kubernetesSystemWorkloads } from './derived/kubernetes.system-workloads.ts';
import { collector as kubernetesTrappedPods } from './derived/kubernetes.trapped-pods.ts';
import { collector as kubernetesWorkloads } from './derived/kubernetes.workloads.ts';
import { collector as longhornDriverNodes } from './derived/longhorn.driver-nodes.ts';
import { collector as longhornManagers } from './derived/longhorn.managers.ts';
import { collector as longhornVolumeHealth } from './derived/longhorn.volume-health.ts';
import { collector as networkBlockedPaths } from './derived/network.blocked-paths.ts';
import { collector as networkCertificates } from './derived/network.certificates.ts';
import { collector as networkDns } from './derived/network.dns.ts';
import { collector as networkExternalZones } from './derived/network.external-zones.ts';
import { collector as networkIngressEntries } from './derived/network.ingress-entries.ts';
import { collector as networkLookupFailures } from './derived/network.lookup-failures.ts';
import { collector as networkPolicyEffects } from './derived/network.policy-effects.ts';
import { collector as networkServiceNeeds } from './derived/network.service-needs.ts';
import { collector as networkTlsHosts } from './derived/network.tls-hosts.ts';
import { collector as networkUnknownIssuers } from './derived/network.unknown-issuers.ts';
import { collector as prometheusOperatorOperators } from './derived/prometheus-operator.operators.ts';
import { collector as prometheusOperatorScrapeChain } from './derived/prometheus-operator.scrape-chain.ts';
import { collector as prometheusOperatorSelection } from './derived/prometheus-operator.selection.ts';
import { collector as prometheusOperatorServiceMonitors } from './derived/prometheus-operator.service-monitors.ts';
import { collector as prometheusAlertExpressions } from './derived/prometheus.alert-expressions.ts';
import { collector as prometheusDeletedBlocks } from './derived/prometheus.deleted-blocks.ts';
import { collector as prometheusDuplicateTargets } from './derived/prometheus.duplicate-targets.ts';
import { collector as prometheusInstances } from './derived/prometheus.instances.ts';
import { collector as prometheusLoadedRuleFiles } from './derived/prometheus.loaded-rule-files.ts';
import { collector as prometheusPools } from './derived/prometheus.pools.ts';
import { collector as prometheusReplicas } from './derived/prometheus.replicas.ts';
import { collector as prometheusRuleHealth } from './derived/prometheus.rule-health.ts';
import { collector as prometheusScrapeJobs } from './derived/prometheus.scrape-jobs.ts';
import { collector as storageAttachmentStates } from './derived/storage.attachment-states.ts';
import { collector as storageChains } from './derived/storage.chains.ts';
import { collector as storageClaimUsage } from './derived/storage.claim-usage.ts';
import { collector as storageClassProvisioners } from './derived/storage.class-provisioners.ts';
import { collector as storageLoggedNoSpace } from './derived/storage.logged-no-space.ts';
import { collector as storageMissingClasses } from './derived/storage.missing-classes.ts';
import { collector as storageNodeDiskUsage } from './derived/storage.node-disk-usage.ts';
import { collector as storagePodDiskUsage } from './derived/storage.pod-disk-usage.ts';
import { collector as storageStaticClaims } from './derived/storage.static-claims.ts';
import { collector as storageTemplateClaims } from './derived/storage.template-claims.ts';
import { collector as thanosBlockVisibility } from './derived/thanos.block-visibility.ts';
import { collector as thanosCompactors } from './derived/thanos.compactors.ts';
import { collector as thanosComponents } from './derived/thanos.components.ts';
import { collector as thanosLog } from './derived/thanos.log.ts';
import { collector as thanosQueryEndpoints } from './derived/thanos.query-endpoints.ts';
import { collector as thanosQueryLatency } from './derived/thanos.query-latency.ts';
import { collector as thanosQuerySettings } from './derived/thanos.query-settings.ts';
import { collector as thanosServicePorts } from './derived/thanos.service-ports.ts';
import { collector as thanosStoreAccess } from './derived/thanos.store-access.ts';
import { collector as thanosStoreFailures } from './derived/thanos.store-failures.ts';
import { collector as thanosTimeRanges } from './derived/thanos.time-ranges.ts';
import { collector as thanosUnloadedBlocks } from './derived/thanos.unloaded-blocks.ts';
import { collector as thanosUploads } from './derived/thanos.uploads.ts';
import { collector as thanosWorkloads } from './derived/thanos.workloads.ts';
import type { Collector } from './collector.ts';

const ALL: readonly Collector[] = [
  accessFailures as unknown as Collector,
  accessPermissions as unknown as Collector,
  alertmanagerAlerts as unknown as Collector,
  alertmanagerSilences as unknown as Collector,
  alertmanagerStatus as unknown as Collector,
  bucketAnswer as unknown as Collector,
  bucketBlocks as unknown as Collector,
  bucketSettings as unknown as Collector,
  ciliumL2Policies as unknown as Collector,
  ciliumNetworkPolicies as unknown as Collector,
  ciliumPools as unknown as Collector,
  fleetExpectations as unknown as Collector,
  grafanaHealth as unknown as Collector,
  grafanaRequests as unknown as Collector,
  kubernetesApiServices as unknown as Collector,
  kubernetesCertificateSigningRequests as unknown as Collector,
  kubernetesConfigMaps as unknown as Collector,
  kubernetesControllerRevisions as unknown as Collector,
  kubernetesCronJobs as unknown as Collector,
  kubernetesCsiDrivers as unknown as Collector,
  kubernetesCsiNodes as unknown as Collector,
  kubernetesCustomResourceDefinitions as unknown as Collector,
  kubernetesDaemonSets as unknown as Collector,
  kubernetesDeployments as unknown as Collector,
  kubernetesDiscovery as unknown as Collector,
  kubernetesEndpointSlices as unknown as Collector,
  kubernetesEvents as unknown as Collector,
  kubernetesHorizontalPodAutoscalers as unknown as Collector,
  kubernetesIngresses as unknown as Collector,
  kubernetesJobs as unknown as Collector,
  kubernetesLeases as unknown as Collector,
  kubernetesNamespaces as unknown as Collector,
  kubernetesNetworkPolicies as unknown as Collector,
  kubernetesNodeStatistics as unknown as Collector,
  kubernetesNodes as unknown as Collector,
  kubernetesPersistentVolumeClaims as unknown as Collector,
  kubernetesPersistentVolumes as unknown as Collector,
  kubernetesPodDisruptionBudgets as unknown as Collector,
  kubernetesPods as unknown as Collector,
  kubernetesPriorityClasses as unknown as Collector,
  kubernetesReplicaSets as unknown as Collector,
  kubernetesResourceQuotas as unknown as Collector,
  kubernetesServer as unknown as Collector,
  kubernetesServiceAccounts as unknown as Collector,
  kubernetesServices as unknown as Collector,
  kubernetesStatefulSets as unknown as Collector,
  kubernetesStorageClasses as unknown as Collector,
  kubernetesUsage as unknown as Collector,
  kubernetesVolumeAttachments as unknown as Collector,
  kubernetesWebhooks as unknown as Collector,
  logsSignatures as unknown as Collector,
  longhornEngineImages as unknown as Collector,
  longhornEngines as unknown as Collector,
  longhornInstanceManagers as unknown as Collector,
  longhornNodes as unknown as Collector,
  longhornOrphans as unknown as Collector,
  longhornRecurringJobs as unknown as Collector,
  longhornReplicas as unknown as Collector,
  longhornSettings as unknown as Collector,
  longhornSnapshots as unknown as Collector,
  longhornVolumeAttachments as unknown as Collector,
  longhornVolumes as unknown as Collector,
  minioHealth as unknown as Collector,
  minioMetrics as unknown as Collector,
  networkProbe as unknown as Collector,
  prometheusOperatorAgents as unknown as Collector,
  prometheusOperatorAlertmanagerConfigs as unknown as Collector,
  prometheusOperatorAlertmanagers as unknown as Collector,
  prometheusOperatorMonitors as unknown as Collector,
  prometheusOperatorPrometheuses as unknown as Collector,
  prometheusOperatorRules as unknown as Collector,
  prometheusOperatorThanosRulers as unknown as Collector,
  prometheusAlertmanagers as unknown as Collector,
  prometheusAlerts as unknown as Collector,
  prometheusConfig as unknown as Collector,
  prometheusFlags as unknown as Collector,
  prometheusMetricNames as unknown as Collector,
  prometheusMetrics as unknown as Collector,
  prometheusQuery as unknown as Collector,
  prometheusRules as unknown as Collector,
  prometheusRuntime as unknown as Collector,
  prometheusTargets as unknown as Collector,
  prometheusTsdb as unknown as Collector,
  thanosEndpointReach as unknown as Collector,
  thanosLoadedBlocks as unknown as Collector,
  thanosMetrics as unknown as Collector,
  thanosObjectStores as unknown as Collector,
  thanosQueryAnswer as unknown as Collector,
  thanosQueryStores as unknown as Collector,
  thanosReadiness as unknown as Collector,
  accessAccounts as unknown as Collector,
  accessAnswers as unknown as Collector,
  alertmanagerInstances as unknown as Collector,
  alertmanagerRouting as unknown as Collector,
  bucketGroups as unknown as Collector,
  bucketHoles as unknown as Collector,
  bucketLocalCompaction as unknown as Collector,
  bucketProducers as unknown as Collector,
  bucketUpkeep as unknown as Collector,
  ciliumConfig as unknown as Collector,
  ciliumLoadBalancers as unknown as Collector,
  ciliumPendingAddresses as unknown as Collector,
  ciliumPolicyValidity as unknown as Collector,
  fleetAddressPools as unknown as Collector,
  fleetAddresses as unknown as Collector,
  fleetBuckets as unknown as Collector,
  fleetCertificates as unknown as Collector,
  fleetClocks as unknown as Collector,
  fleetClusterLabel as unknown as Collector,
  fleetClusters as unknown as Collector,
  fleetEdgeSettings as unknown as Collector,
  fleetEndpoints as unknown as Collector,
  fleetProducers as unknown as Collector,
  fleetReachability as unknown as Collector,
  fleetStoreCount as unknown as Collector,
  grafanaDatasources as unknown as Collector,
  grafanaInstances as unknown as Collector,
  kubernetesClock as unknown as Collector,
  kubernetesContainers as unknown as Collector,
  kubernetesCrashes as unknown as Collector,
  kubernetesCreateFailures as unknown as Collector,
  kubernetesImagePulls as unknown as Collector,
  kubernetesLoggedClocks as unknown as Collector,
  kubernetesNodeCapacity as unknown as Collector,
  kubernetesOwners as unknown as Collector,
  kubernetesReferences as unknown as Collector,
  kubernetesScheduling as unknown as Collector,
  kubernetesScope as unknown as Collector,
  kubernetesServiceBackends as unknown as Collector,
  kubernetesSystemWorkloads as unknown as Collector,
  kubernetesTrappedPods as unknown as Collector,
  kubernetesWorkloads as unknown as Collector,
  longhornDriverNodes as unknown as Collector,
  longhornManagers as unknown as Collector,
  longhornVolumeHealth as unknown as Collector,
  networkBlockedPaths as unknown as Collector,
  networkCertificates as unknown as Collector,
  networkDns as unknown as Collector,
  networkExternalZones as unknown as Collector,
  networkIngressEntries as unknown as Collector,
  networkLookupFailures as unknown as Collector,
  networkPolicyEffects as unknown as Collector,
  networkServiceNeeds as unknown as Collector,
  networkTlsHosts as unknown as Collector,
  networkUnknownIssuers as unknown as Collector,
  prometheusOperatorOperators as unknown as Collector,
  prometheusOperatorScrapeChain as unknown as Collector,
  prometheusOperatorSelection as unknown as Collector,
  prometheusOperatorServiceMonitors as unknown as Collector,
  prometheusAlertExpressions as unknown as Collector,
  prometheusDeletedBlocks as unknown as Collector,
  prometheusDuplicateTargets as unknown as Collector,
  prometheusInstances as unknown as Collector,
  prometheusLoadedRuleFiles as unknown as Collector,
  prometheusPools as unknown as Collector,
  prometheusReplicas as unknown as Collector,
  prometheusRuleHealth as unknown as Collector,
  prometheusScrapeJobs as unknown as Collector,
  storageAttachmentStates as unknown as Collector,
  storageChains as unknown as Collector,
  storageClaimUsage as unknown as Collector,
  storageClassProvisioners as unknown as Collector,
  storageLoggedNoSpace as unknown as Collector,
  storageMissingClasses as unknown as Collector,
  storageNodeDiskUsage as unknown as Collector,
  storagePodDiskUsage as unknown as Collector,
  storageStaticClaims as unknown as Collector,
  storageTemplateClaims as unknown as Collector,
  thanosBlockVisibility as unknown as Collector,
  thanosCompactors as unknown as Collector,
  thanosComponents as unknown as Collector,
  thanosLog as unknown as Collector,
  thanosQueryEndpoints as unknown as Collector,
  thanosQueryLatency as unknown as Collector,
  thanosQuerySettings as unknown as Collector,
  thanosServicePorts as unknown as Collector,
  thanosStoreAccess as unknown as Collector,
  thanosStoreFailures as unknown as Collector,
  thanosTimeRanges as unknown as Collector,
  thanosUnloadedBlocks as unknown as Collector,
  thanosUploads as unknown as Collector,
  thanosWorkloads as unknown as Collector,
];

/** Every collector by its id. */
export const COLLECTORS: ReadonlyMap<string, Collector> = new Map(ALL.map(collector => [collector.id, collector]));
