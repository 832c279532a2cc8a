import { expect, test } from 'vitest';
import { ACTIONS } from '../../src/remediations/catalogue.ts';
import { refusals, stage } from './harness.ts';
import { SCENES } from './scenes.ts';

test.each(Object.entries(SCENES))('%s needs no more than it says', async (id, scene) => {
  const { access } = ACTIONS.get(id)!;
  const allowed = new Set(access.flatMap(({ verbs, resource }) => verbs.map(verb => `${verb} ${resource}`)));
  for (const verb of ['get', 'create', 'patch']) allowed.add(`${verb} leases`);
  const seen: string[] = [];
  const denied = (verb: string, resource: string) => {
    const is = !allowed.has(`${verb} ${resource}`);
    if (is) seen.push(`${verb} ${resource}`);
    return is;
  };
  const { plan } = await stage({ ...scene, server: { ...scene.server, denied } });
  expect(refusals(await plan()).filter(text => text.startsWith('may-write'))).toEqual([]);
  expect(seen).toEqual([]);
});
