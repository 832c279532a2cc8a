import { listOf } from '../collector.ts';
import { age, list, number, strings, text } from '../objects.ts';

export const collector = listOf({
  id: 'longhorn.engine-images',
  about: "Longhorn's engine images, and the nodes on which each is deployed.",
  group: 'longhorn.io',
  resource: 'engineimages',
  kind: 'EngineImage',
  fields: {
    image: 'str',
    /** deployed, deploying, incompatible or error */
    state: 'str',
    stateSince: 'time',
    stateAge: 'int',
    /** Node to `true` or `false`. */
    deployedOn: 'map',
    refCount: 'int',
  },
  row({ spec, status }, context) {
    const ready = list(status?.conditions).find(condition => text(condition?.type) === 'ready');
    return {
      image: text(spec?.image),
      state: text(status?.state),
      stateSince: text(ready?.lastTransitionTime),
      stateAge: age(context, text(ready?.lastTransitionTime)),
      deployedOn: strings(status?.nodeDeploymentMap),
      refCount: number(status?.refCount),
    };
  },
});
