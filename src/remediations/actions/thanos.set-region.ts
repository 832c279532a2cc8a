import type { Action } from '../../model/remediation.ts';
import { guard } from '../guards.ts';
import { CONFIGURATION_ACCESS, configurationDraft, lineOf, readConfiguration } from '../store-configuration.ts';

export const action: Action = {
  id: 'thanos.set-region',
  title: "set the store's region",
  risk: 'change',
  parameters: { secret: 'needed', key: 'needed', region: 'needed' },
  access: CONFIGURATION_ACCESS,
  async plan(input) {
    const stored = await readConfiguration(input);
    const region = input.parameters.region ?? '';
    const guards = [
      await guard(
        'store-named-its-region',
        'the store itself named one region',
        () => /^[a-z0-9][a-z0-9-]{1,40}$/.test(region) || `"${region}" is not one name of a region`,
      ),
    ];
    return configurationDraft(input, stored, [lineOf(stored, 'region', region)], guards, 'the users restart');
  },
};
