import type { RawObject } from '../model/source.ts';
import type { Message } from './protobuf-message.ts';

const ALIKE = new WeakSet<Message>();

/**
 * Marks messages that many objects of a list hold alike, such as the containers of sibling pods. Of each that is in a
 * page, one is kept, and is one and the same object wherever it stands. The ending of a token volume's name is each pod's
 * own, and does not tell them apart: that of the first one stands for all.
 */
export function alike<M extends Message>(message: M): M {
  ALIKE.add(message);
  return message;
}

export function isAlike(message: Message): boolean {
  return ALIKE.has(message);
}

const TOKEN_VOLUME = 'kube-api-access-';
const TOKEN_VOLUMES = /kube-api-access-[a-z0-9]{5}/g;

/** What tells a part from others: all that it is made of, as a text, without what is each pod's own. */
export function keyOfPart(whole: string): string {
  return whole.includes(TOKEN_VOLUME) ? whole.replace(TOKEN_VOLUMES, TOKEN_VOLUME) : whole;
}

/** Does in objects that came as JSON what reading protobuf does on the way. `onAlike` is told of each part that is kept. */
export function shareAlike(objects: readonly RawObject[], message: Message, onAlike: (part: RawObject) => void): void {
  const parts = new Map<string, RawObject>();
  const kept = (part: RawObject): RawObject => {
    if (typeof part !== 'object' || part === null) return part;
    const key = keyOfPart(JSON.stringify(part));
    const known = parts.get(key);
    if (known) return known;
    parts.set(key, part);
    onAlike(part);
    return part;
  };
  const places = placesOf(message);
  const share = (object: RawObject, { lists, inside }: Places): void => {
    for (const name of lists) if (Array.isArray(object?.[name])) object[name] = object[name].map(kept);
    for (const [name, further] of inside) share(object?.[name], further);
  };
  for (const object of objects) share(object, places);
}

/** Where parts that are alike stand: in which lists, and in what other messages. */
interface Places {
  readonly lists: readonly string[];
  readonly inside: readonly (readonly [name: string, places: Places])[];
}

function placesOf(message: Message): Places {
  const lists: string[] = [];
  const inside: [string, Places][] = [];
  for (const [name, [, kind]] of Object.entries(message)) {
    if (Array.isArray(kind)) {
      if (typeof kind[0] === 'object' && isAlike(kind[0])) lists.push(name);
    } else if (typeof kind === 'object') {
      const places = placesOf(kind as Message);
      if (places.lists.length + places.inside.length > 0) inside.push([name, places]);
    }
  }
  return { lists, inside };
}
