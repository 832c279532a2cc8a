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
<<<<<<< HEAD
  row({ spec, status }, context) {
    const ready = list(status?.conditions).find(condition => text(condition?.type) === 'ready');
=======
  row({ spec, status }) {
    const ready = list(status?.conditions).find(condition => text(condition?.type) === 'ready');
>>>>>>> d0218ee (Every field that a collector reads under every wrong type: what is no list, no quantity and no object is a gap, and never an exception)
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
