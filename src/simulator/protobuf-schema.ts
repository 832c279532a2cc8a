/**
 * All fields of the kinds that Kubernetes 1.34 also writes as protobuf, made from the Go types of k8s.io/api: a message a
 * line, `name=number:kind`, `[]` where repeated, `?` where a zero is written as JSON too. The name '' is an embedded message.
 */
const SCHEMA = `
core.Pod metadata=1:meta.ObjectMeta spec=2:core.PodSpec status=3:core.PodStatus
meta.ObjectMeta name=1:text generateName=2:text namespace=3:text selfLink=4:text uid=5:text resourceVersion=6:text generation=7:int creationTimestamp=8:time deletionTimestamp=9:time deletionGracePeriodSeconds=10:int? labels=11:texts annotations=12:texts ownerReferences=13:meta.OwnerReference[] finalizers=14:text[] managedFields=17:meta.ManagedFieldsEntry[]
meta.OwnerReference apiVersion=5:text kind=1:text name=3:text uid=4:text controller=6:flag? blockOwnerDeletion=7:flag?
meta.ManagedFieldsEntry manager=1:text operation=2:text apiVersion=3:text time=4:time fieldsType=6:text fieldsV1=7:raw subresource=8:text
core.PodSpec volumes=1:core.Volume[] initContainers=20:core.Container[] containers=2:core.Container[] ephemeralContainers=34:core.EphemeralContainer[] restartPolicy=3:text terminationGracePeriodSeconds=4:int? activeDeadlineSeconds=5:int? dnsPolicy=6:text nodeSelector=7:texts serviceAccountName=8:text serviceAccount=9:text automountServiceAccountToken=21:flag? nodeName=10:text hostNetwork=11:flag hostPID=12:flag hostIPC=13:flag shareProcessNamespace=27:flag? securityContext=14:core.PodSecurityContext imagePullSecrets=15:core.LocalObjectReference[] hostname=16:text subdomain=17:text affinity=18:core.Affinity schedulerName=19:text tolerations=22:core.Toleration[] hostAliases=23:core.HostAlias[] priorityClassName=24:text priority=25:int? dnsConfig=26:core.PodDNSConfig readinessGates=28:core.PodReadinessGate[] runtimeClassName=29:text? enableServiceLinks=30:flag? preemptionPolicy=31:text? overhead=32:quantities topologySpreadConstraints=33:core.TopologySpreadConstraint[] setHostnameAsFQDN=35:flag? os=36:core.PodOS hostUsers=37:flag? schedulingGates=38:core.PodSchedulingGate[] resourceClaims=39:core.PodResourceClaim[] resources=40:core.ResourceRequirements hostnameOverride=41:text?
core.Volume name=1:text =2:core.VolumeSource
core.VolumeSource hostPath=1:core.HostPathVolumeSource emptyDir=2:core.EmptyDirVolumeSource gcePersistentDisk=3:core.GCEPersistentDiskVolumeSource awsElasticBlockStore=4:core.AWSElasticBlockStoreVolumeSource gitRepo=5:core.GitRepoVolumeSource secret=6:core.SecretVolumeSource nfs=7:core.NFSVolumeSource iscsi=8:core.ISCSIVolumeSource glusterfs=9:core.GlusterfsVolumeSource persistentVolumeClaim=10:core.PersistentVolumeClaimVolumeSource rbd=11:core.RBDVolumeSource flexVolume=12:core.FlexVolumeSource cinder=13:core.CinderVolumeSource cephfs=14:core.CephFSVolumeSource flocker=15:core.FlockerVolumeSource downwardAPI=16:core.DownwardAPIVolumeSource fc=17:core.FCVolumeSource azureFile=18:core.AzureFileVolumeSource configMap=19:core.ConfigMapVolumeSource vsphereVolume=20:core.VsphereVirtualDiskVolumeSource quobyte=21:core.QuobyteVolumeSource azureDisk=22:core.AzureDiskVolumeSource photonPersistentDisk=23:core.PhotonPersistentDiskVolumeSource projected=26:core.ProjectedVolumeSource portworxVolume=24:core.PortworxVolumeSource scaleIO=25:core.ScaleIOVolumeSource storageos=27:core.StorageOSVolumeSource csi=28:core.CSIVolumeSource ephemeral=29:core.EphemeralVolumeSource image=30:core.ImageVolumeSource
core.HostPathVolumeSource path=1:text type=2:text?
core.EmptyDirVolumeSource medium=1:text sizeLimit=2:quantity
core.GCEPersistentDiskVolumeSource pdName=1:text fsType=2:text partition=3:int readOnly=4:flag
core.AWSElasticBlockStoreVolumeSource volumeID=1:text fsType=2:text partition=3:int readOnly=4:flag
core.GitRepoVolumeSource repository=1:text revision=2:text directory=3:text
core.SecretVolumeSource secretName=1:text items=2:core.KeyToPath[] defaultMode=3:int? optional=4:flag?
core.KeyToPath key=1:text path=2:text mode=3:int?
core.NFSVolumeSource server=1:text path=2:text readOnly=3:flag
core.ISCSIVolumeSource targetPortal=1:text iqn=2:text lun=3:int? iscsiInterface=4:text fsType=5:text readOnly=6:flag portals=7:text[] chapAuthDiscovery=8:flag chapAuthSession=11:flag secretRef=10:core.LocalObjectReference initiatorName=12:text?
core.LocalObjectReference name=1:text
core.GlusterfsVolumeSource endpoints=1:text path=2:text readOnly=3:flag
core.PersistentVolumeClaimVolumeSource claimName=1:text readOnly=2:flag
core.RBDVolumeSource monitors=1:text[] image=2:text fsType=3:text pool=4:text user=5:text keyring=6:text secretRef=7:core.LocalObjectReference readOnly=8:flag
core.FlexVolumeSource driver=1:text fsType=2:text secretRef=3:core.LocalObjectReference readOnly=4:flag options=5:texts
core.CinderVolumeSource volumeID=1:text fsType=2:text readOnly=3:flag secretRef=4:core.LocalObjectReference
core.CephFSVolumeSource monitors=1:text[] path=2:text user=3:text secretFile=4:text secretRef=5:core.LocalObjectReference readOnly=6:flag
core.FlockerVolumeSource datasetName=1:text datasetUUID=2:text
core.DownwardAPIVolumeSource items=1:core.DownwardAPIVolumeFile[] defaultMode=2:int?
core.DownwardAPIVolumeFile path=1:text fieldRef=2:core.ObjectFieldSelector resourceFieldRef=3:core.ResourceFieldSelector mode=4:int?
core.ObjectFieldSelector apiVersion=1:text fieldPath=2:text
core.ResourceFieldSelector containerName=1:text resource=2:text divisor=3:quantity
core.FCVolumeSource targetWWNs=1:text[] lun=2:int? fsType=3:text readOnly=4:flag wwids=5:text[]
core.AzureFileVolumeSource secretName=1:text shareName=2:text readOnly=3:flag
core.ConfigMapVolumeSource =1:core.LocalObjectReference items=2:core.KeyToPath[] defaultMode=3:int? optional=4:flag?
core.VsphereVirtualDiskVolumeSource volumePath=1:text fsType=2:text storagePolicyName=3:text storagePolicyID=4:text
core.QuobyteVolumeSource registry=1:text volume=2:text readOnly=3:flag user=4:text group=5:text tenant=6:text
core.AzureDiskVolumeSource diskName=1:text diskURI=2:text cachingMode=3:text? fsType=4:text? readOnly=5:flag? kind=6:text?
core.PhotonPersistentDiskVolumeSource pdID=1:text fsType=2:text
core.ProjectedVolumeSource sources=1:core.VolumeProjection[] defaultMode=2:int?
core.VolumeProjection secret=1:core.SecretProjection downwardAPI=2:core.DownwardAPIProjection configMap=3:core.ConfigMapProjection serviceAccountToken=4:core.ServiceAccountTokenProjection clusterTrustBundle=5:core.ClusterTrustBundleProjection podCertificate=6:core.PodCertificateProjection
core.SecretProjection =1:core.LocalObjectReference items=2:core.KeyToPath[] optional=4:flag?
core.DownwardAPIProjection items=1:core.DownwardAPIVolumeFile[]
core.ConfigMapProjection =1:core.LocalObjectReference items=2:core.KeyToPath[] optional=4:flag?
core.ServiceAccountTokenProjection audience=1:text expirationSeconds=2:int? path=3:text
core.ClusterTrustBundleProjection name=1:text? signerName=2:text? labelSelector=3:meta.LabelSelector optional=5:flag? path=4:text
meta.LabelSelector matchLabels=1:texts matchExpressions=2:meta.LabelSelectorRequirement[]
meta.LabelSelectorRequirement key=1:text operator=2:text values=3:text[]
core.PodCertificateProjection signerName=1:text keyType=2:text maxExpirationSeconds=3:int? credentialBundlePath=4:text keyPath=5:text certificateChainPath=6:text
core.PortworxVolumeSource volumeID=1:text fsType=2:text readOnly=3:flag
core.ScaleIOVolumeSource gateway=1:text system=2:text secretRef=3:core.LocalObjectReference sslEnabled=4:flag protectionDomain=5:text storagePool=6:text storageMode=7:text volumeName=8:text fsType=9:text readOnly=10:flag
core.StorageOSVolumeSource volumeName=1:text volumeNamespace=2:text fsType=3:text readOnly=4:flag secretRef=5:core.LocalObjectReference
core.CSIVolumeSource driver=1:text readOnly=2:flag? fsType=3:text? volumeAttributes=4:texts nodePublishSecretRef=5:core.LocalObjectReference
core.EphemeralVolumeSource volumeClaimTemplate=1:core.PersistentVolumeClaimTemplate
core.PersistentVolumeClaimTemplate metadata=1:meta.ObjectMeta spec=2:core.PersistentVolumeClaimSpec
core.PersistentVolumeClaimSpec accessModes=1:text[] selector=4:meta.LabelSelector resources=2:core.VolumeResourceRequirements volumeName=3:text storageClassName=5:text? volumeMode=6:text? dataSource=7:core.TypedLocalObjectReference dataSourceRef=8:core.TypedObjectReference volumeAttributesClassName=9:text?
core.VolumeResourceRequirements limits=1:quantities requests=2:quantities
core.TypedLocalObjectReference apiGroup=1:text? kind=2:text name=3:text
core.TypedObjectReference apiGroup=1:text? kind=2:text name=3:text namespace=4:text?
core.ImageVolumeSource reference=1:text pullPolicy=2:text
core.Container name=1:text image=2:text command=3:text[] args=4:text[] workingDir=5:text ports=6:core.ContainerPort[] envFrom=19:core.EnvFromSource[] env=7:core.EnvVar[] resources=8:core.ResourceRequirements resizePolicy=23:core.ContainerResizePolicy[] restartPolicy=24:text? restartPolicyRules=25:core.ContainerRestartRule[] volumeMounts=9:core.VolumeMount[] volumeDevices=21:core.VolumeDevice[] livenessProbe=10:core.Probe readinessProbe=11:core.Probe startupProbe=22:core.Probe lifecycle=12:core.Lifecycle terminationMessagePath=13:text terminationMessagePolicy=20:text imagePullPolicy=14:text securityContext=15:core.SecurityContext stdin=16:flag stdinOnce=17:flag tty=18:flag
core.ContainerPort name=1:text hostPort=2:int containerPort=3:int? protocol=4:text hostIP=5:text
core.EnvFromSource prefix=1:text configMapRef=2:core.ConfigMapEnvSource secretRef=3:core.SecretEnvSource
core.ConfigMapEnvSource =1:core.LocalObjectReference optional=2:flag?
core.SecretEnvSource =1:core.LocalObjectReference optional=2:flag?
core.EnvVar name=1:text value=2:text valueFrom=3:core.EnvVarSource
core.EnvVarSource fieldRef=1:core.ObjectFieldSelector resourceFieldRef=2:core.ResourceFieldSelector configMapKeyRef=3:core.ConfigMapKeySelector secretKeyRef=4:core.SecretKeySelector fileKeyRef=5:core.FileKeySelector
core.ConfigMapKeySelector =1:core.LocalObjectReference key=2:text optional=3:flag?
core.SecretKeySelector =1:core.LocalObjectReference key=2:text optional=3:flag?
core.FileKeySelector volumeName=1:text path=2:text key=3:text optional=4:flag?
core.ResourceRequirements limits=1:quantities requests=2:quantities claims=3:core.ResourceClaim[]
core.ResourceClaim name=1:text request=2:text
core.ContainerResizePolicy resourceName=1:text restartPolicy=2:text
core.ContainerRestartRule action=1:text exitCodes=2:core.ContainerRestartRuleOnExitCodes
core.ContainerRestartRuleOnExitCodes operator=1:text values=2:int[]
core.VolumeMount name=1:text readOnly=2:flag recursiveReadOnly=7:text? mountPath=3:text subPath=4:text mountPropagation=5:text? subPathExpr=6:text
core.VolumeDevice name=1:text devicePath=2:text
core.Probe =1:core.ProbeHandler initialDelaySeconds=2:int timeoutSeconds=3:int periodSeconds=4:int successThreshold=5:int failureThreshold=6:int terminationGracePeriodSeconds=7:int?
core.ProbeHandler exec=1:core.ExecAction httpGet=2:core.HTTPGetAction tcpSocket=3:core.TCPSocketAction grpc=4:core.GRPCAction
core.ExecAction command=1:text[]
core.HTTPGetAction path=1:text port=2:intOrText host=3:text scheme=4:text httpHeaders=5:core.HTTPHeader[]
core.HTTPHeader name=1:text value=2:text
core.TCPSocketAction port=1:intOrText host=2:text
core.GRPCAction port=1:int? service=2:text?
core.Lifecycle postStart=1:core.LifecycleHandler preStop=2:core.LifecycleHandler stopSignal=3:text?
core.LifecycleHandler exec=1:core.ExecAction httpGet=2:core.HTTPGetAction tcpSocket=3:core.TCPSocketAction sleep=4:core.SleepAction
core.SleepAction seconds=1:int?
core.SecurityContext capabilities=1:core.Capabilities privileged=2:flag? seLinuxOptions=3:core.SELinuxOptions windowsOptions=10:core.WindowsSecurityContextOptions runAsUser=4:int? runAsGroup=8:int? runAsNonRoot=5:flag? readOnlyRootFilesystem=6:flag? allowPrivilegeEscalation=7:flag? procMount=9:text? seccompProfile=11:core.SeccompProfile appArmorProfile=12:core.AppArmorProfile
core.Capabilities add=1:text[] drop=2:text[]
core.SELinuxOptions user=1:text role=2:text type=3:text level=4:text
core.WindowsSecurityContextOptions gmsaCredentialSpecName=1:text? gmsaCredentialSpec=2:text? runAsUserName=3:text? hostProcess=4:flag?
core.SeccompProfile type=1:text localhostProfile=2:text?
core.AppArmorProfile type=1:text localhostProfile=2:text?
core.EphemeralContainer =1:core.EphemeralContainerCommon targetContainerName=2:text
core.EphemeralContainerCommon name=1:text image=2:text command=3:text[] args=4:text[] workingDir=5:text ports=6:core.ContainerPort[] envFrom=19:core.EnvFromSource[] env=7:core.EnvVar[] resources=8:core.ResourceRequirements resizePolicy=23:core.ContainerResizePolicy[] restartPolicy=24:text? restartPolicyRules=25:core.ContainerRestartRule[] volumeMounts=9:core.VolumeMount[] volumeDevices=21:core.VolumeDevice[] livenessProbe=10:core.Probe readinessProbe=11:core.Probe startupProbe=22:core.Probe lifecycle=12:core.Lifecycle terminationMessagePath=13:text terminationMessagePolicy=20:text imagePullPolicy=14:text securityContext=15:core.SecurityContext stdin=16:flag stdinOnce=17:flag tty=18:flag
core.PodSecurityContext seLinuxOptions=1:core.SELinuxOptions windowsOptions=8:core.WindowsSecurityContextOptions runAsUser=2:int? runAsGroup=6:int? runAsNonRoot=3:flag? supplementalGroups=4:int[] supplementalGroupsPolicy=12:text? fsGroup=5:int? sysctls=7:core.Sysctl[] fsGroupChangePolicy=9:text? seccompProfile=10:core.SeccompProfile appArmorProfile=11:core.AppArmorProfile seLinuxChangePolicy=13:text?
core.Sysctl name=1:text value=2:text
core.Affinity nodeAffinity=1:core.NodeAffinity podAffinity=2:core.PodAffinity podAntiAffinity=3:core.PodAntiAffinity
core.NodeAffinity requiredDuringSchedulingIgnoredDuringExecution=1:core.NodeSelector preferredDuringSchedulingIgnoredDuringExecution=2:core.PreferredSchedulingTerm[]
core.NodeSelector nodeSelectorTerms=1:core.NodeSelectorTerm[]
core.NodeSelectorTerm matchExpressions=1:core.NodeSelectorRequirement[] matchFields=2:core.NodeSelectorRequirement[]
core.NodeSelectorRequirement key=1:text operator=2:text values=3:text[]
core.PreferredSchedulingTerm weight=1:int? preference=2:core.NodeSelectorTerm
core.PodAffinity requiredDuringSchedulingIgnoredDuringExecution=1:core.PodAffinityTerm[] preferredDuringSchedulingIgnoredDuringExecution=2:core.WeightedPodAffinityTerm[]
core.PodAffinityTerm labelSelector=1:meta.LabelSelector namespaces=2:text[] topologyKey=3:text namespaceSelector=4:meta.LabelSelector matchLabelKeys=5:text[] mismatchLabelKeys=6:text[]
core.WeightedPodAffinityTerm weight=1:int? podAffinityTerm=2:core.PodAffinityTerm
core.PodAntiAffinity requiredDuringSchedulingIgnoredDuringExecution=1:core.PodAffinityTerm[] preferredDuringSchedulingIgnoredDuringExecution=2:core.WeightedPodAffinityTerm[]
core.Toleration key=1:text operator=2:text value=3:text effect=4:text tolerationSeconds=5:int?
core.HostAlias ip=1:text hostnames=2:text[]
core.PodDNSConfig nameservers=1:text[] searches=2:text[] options=3:core.PodDNSConfigOption[]
core.PodDNSConfigOption name=1:text value=2:text?
core.PodReadinessGate conditionType=1:text
core.TopologySpreadConstraint maxSkew=1:int? topologyKey=2:text whenUnsatisfiable=3:text labelSelector=4:meta.LabelSelector minDomains=5:int? nodeAffinityPolicy=6:text? nodeTaintsPolicy=7:text? matchLabelKeys=8:text[]
core.PodOS name=1:text
core.PodSchedulingGate name=1:text
core.PodResourceClaim name=1:text resourceClaimName=3:text? resourceClaimTemplateName=4:text?
core.PodStatus observedGeneration=17:int phase=1:text conditions=2:core.PodCondition[] message=3:text reason=4:text nominatedNodeName=11:text hostIP=5:text hostIPs=16:core.HostIP[] podIP=6:text podIPs=12:core.PodIP[] startTime=7:time initContainerStatuses=10:core.ContainerStatus[] containerStatuses=8:core.ContainerStatus[] qosClass=9:text ephemeralContainerStatuses=13:core.ContainerStatus[] resize=14:text resourceClaimStatuses=15:core.PodResourceClaimStatus[] extendedResourceClaimStatus=18:core.PodExtendedResourceClaimStatus
core.PodCondition type=1:text observedGeneration=7:int status=2:text lastProbeTime=3:time lastTransitionTime=4:time reason=5:text message=6:text
core.HostIP ip=1:text
core.PodIP ip=1:text
core.ContainerStatus name=1:text state=2:core.ContainerState lastState=3:core.ContainerState ready=4:flag? restartCount=5:int? image=6:text imageID=7:text containerID=8:text started=9:flag? allocatedResources=10:quantities resources=11:core.ResourceRequirements volumeMounts=12:core.VolumeMountStatus[] user=13:core.ContainerUser allocatedResourcesStatus=14:core.ResourceStatus[] stopSignal=15:text?
core.ContainerState waiting=1:core.ContainerStateWaiting running=2:core.ContainerStateRunning terminated=3:core.ContainerStateTerminated
core.ContainerStateWaiting reason=1:text message=2:text
core.ContainerStateRunning startedAt=1:time
core.ContainerStateTerminated exitCode=1:int? signal=2:int reason=3:text message=4:text startedAt=5:time finishedAt=6:time containerID=7:text
core.VolumeMountStatus name=1:text mountPath=2:text readOnly=3:flag recursiveReadOnly=4:text?
core.ContainerUser linux=1:core.LinuxContainerUser
core.LinuxContainerUser uid=1:int? gid=2:int? supplementalGroups=3:int[]
core.ResourceStatus name=1:text resources=2:core.ResourceHealth[]
core.ResourceHealth resourceID=1:text health=2:text
core.PodResourceClaimStatus name=1:text resourceClaimName=2:text?
core.PodExtendedResourceClaimStatus requestMappings=1:core.ContainerExtendedResourceRequest[] resourceClaimName=2:text
core.ContainerExtendedResourceRequest containerName=1:text resourceName=2:text requestName=3:text
core.Event metadata=1:meta.ObjectMeta involvedObject=2:core.ObjectReference reason=3:text message=4:text source=5:core.EventSource firstTimestamp=6:time lastTimestamp=7:time count=8:int type=9:text eventTime=10:microTime series=11:core.EventSeries action=12:text related=13:core.ObjectReference reportingComponent=14:text reportingInstance=15:text
core.ObjectReference kind=1:text namespace=2:text name=3:text uid=4:text apiVersion=5:text resourceVersion=6:text fieldPath=7:text
core.EventSource component=1:text host=2:text
core.EventSeries count=1:int lastObservedTime=2:microTime
apps.Deployment metadata=1:meta.ObjectMeta spec=2:apps.DeploymentSpec status=3:apps.DeploymentStatus
apps.DeploymentSpec replicas=1:int? selector=2:meta.LabelSelector template=3:core.PodTemplateSpec strategy=4:apps.DeploymentStrategy minReadySeconds=5:int revisionHistoryLimit=6:int? paused=7:flag progressDeadlineSeconds=9:int?
apps.DeploymentStrategy type=1:text rollingUpdate=2:apps.RollingUpdateDeployment
apps.RollingUpdateDeployment maxUnavailable=1:intOrText maxSurge=2:intOrText
apps.DeploymentStatus observedGeneration=1:int replicas=2:int updatedReplicas=3:int readyReplicas=7:int availableReplicas=4:int unavailableReplicas=5:int terminatingReplicas=9:int? conditions=6:apps.DeploymentCondition[] collisionCount=8:int?
apps.DeploymentCondition type=1:text status=2:text lastUpdateTime=6:time lastTransitionTime=7:time reason=4:text message=5:text
apps.ReplicaSet metadata=1:meta.ObjectMeta spec=2:apps.ReplicaSetSpec status=3:apps.ReplicaSetStatus
apps.ReplicaSetSpec replicas=1:int? minReadySeconds=4:int selector=2:meta.LabelSelector template=3:core.PodTemplateSpec
core.PodTemplateSpec metadata=1:meta.ObjectMeta spec=2:core.PodSpec
apps.ReplicaSetStatus replicas=1:int? fullyLabeledReplicas=2:int readyReplicas=4:int availableReplicas=5:int terminatingReplicas=7:int? observedGeneration=3:int conditions=6:apps.ReplicaSetCondition[]
apps.ReplicaSetCondition type=1:text status=2:text lastTransitionTime=3:time reason=4:text message=5:text
core.Service metadata=1:meta.ObjectMeta spec=2:core.ServiceSpec status=3:core.ServiceStatus
core.ServiceSpec ports=1:core.ServicePort[] selector=2:texts clusterIP=3:text clusterIPs=18:text[] type=4:text externalIPs=5:text[] sessionAffinity=7:text loadBalancerIP=8:text loadBalancerSourceRanges=9:text[] externalName=10:text externalTrafficPolicy=11:text healthCheckNodePort=12:int publishNotReadyAddresses=13:flag sessionAffinityConfig=14:core.SessionAffinityConfig ipFamilies=19:text[] ipFamilyPolicy=17:text? allocateLoadBalancerNodePorts=20:flag? loadBalancerClass=21:text? internalTrafficPolicy=22:text? trafficDistribution=23:text?
core.ServicePort name=1:text protocol=2:text appProtocol=6:text? port=3:int? targetPort=4:intOrText nodePort=5:int
core.SessionAffinityConfig clientIP=1:core.ClientIPConfig
core.ClientIPConfig timeoutSeconds=1:int?
core.ServiceStatus loadBalancer=1:core.LoadBalancerStatus conditions=2:meta.Condition[]
core.LoadBalancerStatus ingress=1:core.LoadBalancerIngress[]
core.LoadBalancerIngress ip=1:text hostname=2:text ipMode=3:text? ports=4:core.PortStatus[]
core.PortStatus port=1:int? protocol=2:text error=3:text?
meta.Condition type=1:text status=2:text observedGeneration=3:int lastTransitionTime=4:time reason=5:text message=6:text
discovery.EndpointSlice metadata=1:meta.ObjectMeta addressType=4:text endpoints=2:discovery.Endpoint[] ports=3:discovery.EndpointPort[]
discovery.Endpoint addresses=1:text[] conditions=2:discovery.EndpointConditions hostname=3:text? targetRef=4:core.ObjectReference deprecatedTopology=5:texts nodeName=6:text? zone=7:text? hints=8:discovery.EndpointHints
discovery.EndpointConditions ready=1:flag? serving=2:flag? terminating=3:flag?
discovery.EndpointHints forZones=1:discovery.ForZone[] forNodes=2:discovery.ForNode[]
discovery.ForZone name=1:text
discovery.ForNode name=1:text
discovery.EndpointPort name=1:text? protocol=2:text? port=3:int? appProtocol=4:text?
batch.Job metadata=1:meta.ObjectMeta spec=2:batch.JobSpec status=3:batch.JobStatus
batch.JobSpec parallelism=1:int? completions=2:int? activeDeadlineSeconds=3:int? podFailurePolicy=11:batch.PodFailurePolicy successPolicy=16:batch.SuccessPolicy backoffLimit=7:int? backoffLimitPerIndex=12:int? maxFailedIndexes=13:int? selector=4:meta.LabelSelector manualSelector=5:flag? template=6:core.PodTemplateSpec ttlSecondsAfterFinished=8:int? completionMode=9:text? suspend=10:flag? podReplacementPolicy=14:text? managedBy=15:text?
batch.PodFailurePolicy rules=1:batch.PodFailurePolicyRule[]
batch.PodFailurePolicyRule action=1:text onExitCodes=2:batch.PodFailurePolicyOnExitCodesRequirement onPodConditions=3:batch.PodFailurePolicyOnPodConditionsPattern[]
batch.PodFailurePolicyOnExitCodesRequirement containerName=1:text? operator=2:text values=3:int[]
batch.PodFailurePolicyOnPodConditionsPattern type=1:text status=2:text
batch.SuccessPolicy rules=1:batch.SuccessPolicyRule[]
batch.SuccessPolicyRule succeededIndexes=1:text? succeededCount=2:int?
batch.JobStatus conditions=1:batch.JobCondition[] startTime=2:time completionTime=3:time active=4:int succeeded=5:int failed=6:int terminating=11:int? completedIndexes=7:text failedIndexes=10:text? uncountedTerminatedPods=8:batch.UncountedTerminatedPods ready=9:int?
batch.JobCondition type=1:text status=2:text lastProbeTime=3:time lastTransitionTime=4:time reason=5:text message=6:text
batch.UncountedTerminatedPods succeeded=1:text[] failed=2:text[]
core.Node metadata=1:meta.ObjectMeta spec=2:core.NodeSpec status=3:core.NodeStatus
core.NodeSpec podCIDR=1:text podCIDRs=7:text[] providerID=3:text unschedulable=4:flag taints=5:core.Taint[] configSource=6:core.NodeConfigSource externalID=2:text
core.Taint key=1:text value=2:text effect=3:text timeAdded=4:time
core.NodeConfigSource configMap=2:core.ConfigMapNodeConfigSource
core.ConfigMapNodeConfigSource namespace=1:text name=2:text uid=3:text resourceVersion=4:text kubeletConfigKey=5:text
core.NodeStatus capacity=1:quantities allocatable=2:quantities phase=3:text conditions=4:core.NodeCondition[] addresses=5:core.NodeAddress[] daemonEndpoints=6:core.NodeDaemonEndpoints nodeInfo=7:core.NodeSystemInfo images=8:core.ContainerImage[] volumesInUse=9:text[] volumesAttached=10:core.AttachedVolume[] config=11:core.NodeConfigStatus runtimeHandlers=12:core.NodeRuntimeHandler[] features=13:core.NodeFeatures
core.NodeCondition type=1:text status=2:text lastHeartbeatTime=3:time lastTransitionTime=4:time reason=5:text message=6:text
core.NodeAddress type=1:text address=2:text
core.NodeDaemonEndpoints kubeletEndpoint=1:core.DaemonEndpoint
core.DaemonEndpoint Port=1:int?
core.NodeSystemInfo machineID=1:text systemUUID=2:text bootID=3:text kernelVersion=4:text osImage=5:text containerRuntimeVersion=6:text kubeletVersion=7:text kubeProxyVersion=8:text operatingSystem=9:text architecture=10:text swap=11:core.NodeSwapStatus
core.NodeSwapStatus capacity=1:int?
core.ContainerImage names=1:text[] sizeBytes=2:int
core.AttachedVolume name=1:text devicePath=2:text
core.NodeConfigStatus assigned=1:core.NodeConfigSource active=2:core.NodeConfigSource lastKnownGood=3:core.NodeConfigSource error=4:text
core.NodeRuntimeHandler name=1:text features=2:core.NodeRuntimeHandlerFeatures
core.NodeRuntimeHandlerFeatures recursiveReadOnlyMounts=1:flag? userNamespaces=2:flag?
core.NodeFeatures supplementalGroupsPolicy=1:flag?
core.PersistentVolumeClaim metadata=1:meta.ObjectMeta spec=2:core.PersistentVolumeClaimSpec status=3:core.PersistentVolumeClaimStatus
core.PersistentVolumeClaimStatus phase=1:text accessModes=2:text[] capacity=3:quantities conditions=4:core.PersistentVolumeClaimCondition[] allocatedResources=5:quantities allocatedResourceStatuses=7:texts currentVolumeAttributesClassName=8:text? modifyVolumeStatus=9:core.ModifyVolumeStatus
core.PersistentVolumeClaimCondition type=1:text status=2:text lastProbeTime=3:time lastTransitionTime=4:time reason=5:text message=6:text
core.ModifyVolumeStatus targetVolumeAttributesClassName=1:text status=2:text
`;

type Fields = readonly {
  readonly name: string;
  readonly number: number;
  readonly kind: string;
  readonly repeated: boolean;
}[];

/** Messages by their Go type, e.g. `core.Pod`. */
export const PROTOBUF_SCHEMA: ReadonlyMap<string, Fields> = new Map(
  SCHEMA.trim()
    .split('\n')
    .map(line => {
      const [message = '', ...fields] = line.split(' ');
      return [message, fields.map(fieldOf)];
    }),
);

function fieldOf(text: string): Fields[number] {
  const [, name = '', number = '', kind = '', repeated] = /^(.*)=(\d+):([^[]+)(\[\])?$/.exec(text)!;
  return { name, number: Number(number), kind, repeated: repeated !== undefined };
}
