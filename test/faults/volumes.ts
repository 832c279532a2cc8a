import type { RawObject } from '../../src/model/source.ts';
import { ago, type Component, creating, event, nameOf, unscheduled } from './pods.ts';
import type { World } from './recorded-world.ts';

export const UNBOUND = '0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims. not found';

/** `namespace/name` of the first claim of a pod. */
export function claimOf(world: World, pod: string): string {
  const object = world.object('core/v1/pods', pod);
  const claim = object.spec.volumes.find((volume: RawObject) => volume.persistentVolumeClaim);
  if (!claim) throw new Error(`pod ${pod} has no claim`);
  return `${object.metadata.namespace}/${claim.persistentVolumeClaim.claimName}`;
}

export const volumeOf = (world: World, claim: string): string =>
  world.object('core/v1/persistentvolumeclaims', claim).spec.volumeName;

/** Takes away the volume of a claim, in every place that tells of it. */
function withoutVolume(world: World, claim: string): void {
  const volume = volumeOf(world, claim);
  world.list('core/v1/persistentvolumes', items => items.filter(item => item.metadata.name !== volume));
  world.list('storage.k8s.io/v1/volumeattachments', items =>
    items.filter(item => item.spec.source.persistentVolumeName !== volume),
  );
  world.list('longhorn.io/v1beta2/volumes', items => items.filter(item => item.metadata.name !== volume));
  for (const plural of ['engines', 'replicas']) {
    world.list(`longhorn.io/v1beta2/${plural}`, items => items.filter(item => item.spec.volumeName !== volume));
  }
  detachedFromNode(world, volume);
}

function detachedFromNode(world: World, volume: string): void {
  world.list('core/v1/nodes', nodes => {
    for (const { status } of nodes) {
      status.volumesInUse = (status.volumesInUse ?? []).filter((name: string) => !name.includes(volume));
      status.volumesAttached = (status.volumesAttached ?? []).filter((one: RawObject) => !one.name.includes(volume));
    }
  });
}

export interface PendingClaim {
  /** Undefined where the claim names no class. */
  readonly storageClass: string | undefined;
  /** The claim was handed to its provisioner. */
  readonly provisioner?: string;
  readonly reason: string;
  readonly message: string;
  readonly type?: 'Warning' | 'Normal';
  readonly from?: string;
  readonly seconds?: number;
}

/** The pods of a StatefulSet were made anew, and their claims with them, and these get no volume. */
export function claimsPending(what: Component, how: PendingClaim): readonly string[] {
  const { world } = what;
  const { storageClass, provisioner, reason, message, type, from = 'persistentvolume-controller', seconds = 150 } = how;
  const give = (spec: RawObject) => {
    if (storageClass === undefined) delete spec.storageClassName;
    else spec.storageClassName = storageClass;
  };
  world.edit(what.resource, what.name, set => {
    for (const template of set.spec.volumeClaimTemplates ?? []) give(template.spec);
  });
  const claims = what.pods.map(pod => claimOf(world, pod));
  for (const [index, claim] of claims.entries()) {
    withoutVolume(world, claim);
    world.edit('core/v1/persistentvolumeclaims', claim, object => {
      give(object.spec);
      delete object.spec.volumeName;
      object.metadata.creationTimestamp = ago(world, seconds);
      object.metadata.annotations = provisioner
        ? {
            'volume.kubernetes.io/storage-provisioner': provisioner,
            'volume.beta.kubernetes.io/storage-provisioner': provisioner,
          }
        : {};
      object.status = { phase: 'Pending' };
    });
    event(world, 'PersistentVolumeClaim', world.object('core/v1/persistentvolumeclaims', claim), {
      reason,
      message,
      ...(type ? { type } : {}),
      first: seconds,
      last: 8,
      count: 12,
      from,
    });
    unscheduled(world, what.pods[index]!, UNBOUND, seconds);
  }
  return claims;
}

export interface AttachFailure {
  /** Of the VolumeAttachment; left out where nobody has answered it, null where there is none. */
  readonly error?: string | null;
  readonly event: string;
  readonly seconds?: number;
}

/** A pod was made anew, and its volume does not come to its node. */
export function notAttached(world: World, pod: string, { error, event: message, seconds = 150 }: AttachFailure): void {
  const claim = claimOf(world, pod);
  const volume = volumeOf(world, claim);
  creating(world, pod, seconds);
  world.list('storage.k8s.io/v1/volumeattachments', items => {
    const mine = items.find(item => item.spec.source.persistentVolumeName === volume);
    if (error === null) return items.filter(item => item !== mine);
    mine.metadata.creationTimestamp = ago(world, seconds);
    delete mine.metadata.annotations;
    delete mine.metadata.finalizers;
    if (error === undefined) delete mine.status;
    else mine.status = { attached: false, attachError: { time: ago(world, 10), message: error } };
  });
  detachedFromNode(world, volume);
  const object = world.object('core/v1/pods', pod);
  event(world, 'Pod', object, {
    reason: 'FailedAttachVolume',
    message: message.replaceAll('$VOLUME', volume),
    first: seconds,
    last: 10,
    count: 9,
    from: 'attachdetach-controller',
  });
  event(world, 'Pod', object, {
    reason: 'FailedMount',
    message:
      'Unable to attach or mount volumes: unmounted volumes=[data], unattached volumes=[data], failed to process volumes=[]: context deadline exceeded',
    first: 27,
    last: 27,
    count: 1,
  });
}

/** The volume is detached, as it is while nobody has it. */
export function detachedVolume(world: World, volume: string, robustness = 'unknown'): void {
  world.edit('longhorn.io/v1beta2/volumes', `longhorn-system/${volume}`, ({ spec, status }) => {
    spec.nodeID = '';
    Object.assign(status, { state: 'detached', robustness, currentNodeID: '' });
  });
  for (const plural of ['engines', 'replicas']) {
    world.list(`longhorn.io/v1beta2/${plural}`, items => {
      for (const { spec, status } of items) {
        if (spec.volumeName !== volume) continue;
        spec.desireState = 'stopped';
        Object.assign(status, { currentState: 'stopped', started: false });
        if (plural === 'engines') Object.assign(status, { endpoint: '', replicaModeMap: {} });
      }
    });
  }
}

/** Its only replica has failed. */
export function faultedVolume(world: World, volume: string, seconds = 160): void {
  detachedVolume(world, volume, 'faulted');
  world.list('longhorn.io/v1beta2/replicas', items => {
    for (const { spec } of items) if (spec.volumeName === volume) spec.failedAt = ago(world, seconds);
  });
}

/** A claim like that of another workload, for the pods of a workload that has none. */
export function givenClaim(what: Component, like: Component, name = 'data'): string {
  const { world, namespace } = what;
  const model = claimOf(like.world, like.pods[0]!);
  const volume = volumeOf(world, model);
  const own = volume.replace(/....$/, 'feed');
  const copied = (resource: string, fits: (item: RawObject) => boolean, change: (item: RawObject) => void) =>
    world.list(resource, items => {
      for (const item of items.filter(fits)) {
        const copy = JSON.parse(JSON.stringify(item).replaceAll(volume, own));
        copy.metadata.uid = own.slice(4);
        change(copy);
        items.push(copy);
      }
    });
  const claim = `${namespace}/${name}`;
  copied(
    'core/v1/persistentvolumeclaims',
    item => nameOf(item) === model,
    item => {
      item.metadata.name = name;
    },
  );
  copied(
    'core/v1/persistentvolumes',
    item => item.metadata.name === volume,
    item => {
      item.spec.claimRef.name = name;
    },
  );
  copied(
    'storage.k8s.io/v1/volumeattachments',
    item => item.spec.source.persistentVolumeName === volume,
    item => {
      item.metadata.name = item.metadata.name.replace(/....$/, 'feed');
    },
  );
  copied(
    'longhorn.io/v1beta2/volumes',
    item => item.metadata.name === volume,
    item => {
      Object.assign(item.status.kubernetesStatus, { pvcName: name, workloadsStatus: [] });
    },
  );
  copied(
    'longhorn.io/v1beta2/engines',
    item => item.spec.volumeName === volume,
    () => {},
  );
  copied(
    'longhorn.io/v1beta2/replicas',
    item => item.spec.volumeName === volume,
    () => {},
  );
  const mount = (spec: RawObject) => {
    spec.volumes = [...(spec.volumes ?? []), { name: 'data', persistentVolumeClaim: { claimName: name } }];
  };
  world.edit(what.resource, what.name, workload => mount(workload.spec.template.spec));
  for (const pod of what.pods) world.edit('core/v1/pods', pod, object => mount(object.spec));
  return claim;
}

const SECOND = { from: /\d+$/, to: '250' };

/** A second node like the first, with all that runs on every node. Its name is given back. */
export function secondNode(world: World): string {
  const first = world.items('core/v1/nodes')[0]!;
  const name = `${first.metadata.name}-b`;
  const address: string = first.status.addresses[0].address;
  const other = address.replace(SECOND.from, SECOND.to);
  const renamed = (item: RawObject) =>
    JSON.parse(
      JSON.stringify(item)
        .replaceAll(first.metadata.name, name)
        .replaceAll(address, other)
        .replaceAll(item.metadata.uid, `${item.metadata.uid.slice(0, -2)}b2`),
    );
  const copied = (resource: string, fits: (item: RawObject) => boolean, change: (item: RawObject) => void = () => {}) =>
    world.list(resource, items => {
      for (const item of items.filter(fits)) {
        const copy = renamed(item);
        change(copy);
        items.push(copy);
      }
    });
  copied(
    'core/v1/nodes',
    () => true,
    node => {
      Object.assign(node.status, { volumesInUse: [], volumesAttached: [] });
    },
  );
  copied('storage.k8s.io/v1/csinodes', () => true);
  copied(
    'longhorn.io/v1beta2/nodes',
    () => true,
    node => {
      for (const disk of Object.values(node.status.diskStatus ?? {}) as RawObject[]) disk.scheduledReplica = {};
    },
  );
  copied('cilium.io/v2/ciliumnodes', () => true);
  copied('coordination.k8s.io/v1/leases', item => item.metadata.namespace === 'kube-node-lease');
  let index = 90;
  copied(
    'core/v1/pods',
    pod => pod.metadata.ownerReferences?.[0]?.kind === 'DaemonSet',
    pod => {
      pod.metadata.name = `${pod.metadata.name.slice(0, -5)}zzzz${index % 10}`;
      pod.metadata.uid = `${pod.metadata.uid.slice(0, -4)}${index}ff`;
      if (pod.status.podIP !== other) pod.status.podIP = pod.status.podIP.replace(/\d+\.\d+$/, `1.${index}`);
      index += 1;
    },
  );
  world.list('apps/v1/daemonsets', sets => {
    for (const { status } of sets) {
      for (const field of [
        'currentNumberScheduled',
        'desiredNumberScheduled',
        'numberReady',
        'updatedNumberScheduled',
        'numberAvailable',
      ]) {
        status[field] = 2;
      }
    }
  });
  return name;
}

/** The kubelet measures that a claim is full. */
export function fullClaim(world: World, claim: string, freeBytes = 0): void {
  const name = claim.split('/')[1];
  for (const path of world.paths()) {
    if (!path.endsWith('stats_summary.json')) continue;
    world.json(path, summary => {
      for (const pod of summary.pods) {
        for (const volume of pod.volume ?? []) {
          if (volume.pvcRef?.name !== name) continue;
          volume.availableBytes = freeBytes;
          volume.usedBytes = volume.capacityBytes - freeBytes;
        }
      }
    });
  }
}
