import type { RawObject } from '../../src/model/source.ts';
import { ago } from './fake-source.ts';

const TEMPLATED = ['daemonsets', 'deployments', 'statefulsets'];
const IMAGE = 'example.org/some/image:1';

const withImages = (containers: readonly RawObject[] | undefined) =>
  containers?.map(container => (container.image === undefined ? { ...container, image: IMAGE } : container));

function podSpec(spec: RawObject): RawObject {
  const { containers = [{ name: 'some' }], initContainers } = spec ?? {};
  return {
    ...spec,
    containers: withImages(containers),
    ...(initContainers ? { initContainers: withImages(initContainers) } : {}),
  };
}

/** An object as the API server has it: what a test leaves out, because it does not matter there, is filled in. */
export function asStored(resource: string, object: RawObject): RawObject {
  if (typeof object?.metadata !== 'object' || object.metadata === null) return object;
  const { metadata, spec = {}, status = {} } = object;
  const whole = { ...object, metadata: { creationTimestamp: ago(3600), ...metadata } };
  if (resource === 'pods') return { ...whole, spec: podSpec(spec), status: { phase: 'Running', ...status } };
  if (resource === 'services') return { ...whole, spec: { type: 'ClusterIP', ...spec }, status };
  if (resource === 'persistentvolumeclaims' || resource === 'persistentvolumes')
    return { ...whole, spec, status: { phase: 'Bound', ...status } };
  if (resource === 'nodes') return { ...whole, spec, status };
  if (resource === 'replicasets') return { ...whole, spec: { replicas: 1, ...spec }, status };
  if (!TEMPLATED.includes(resource)) return object;
  const template = { ...spec.template, spec: podSpec(spec.template?.spec) };
  return {
    ...whole,
    spec: { ...(resource === 'daemonsets' ? {} : { replicas: 1 }), ...spec, template },
    status: { ...(resource === 'daemonsets' ? { desiredNumberScheduled: 0 } : {}), ...status },
  };
}
