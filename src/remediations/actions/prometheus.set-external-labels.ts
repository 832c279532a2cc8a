import type { Action } from '../../model/remediation.ts';
import { rowsOf } from '../evidence-rows.ts';
import { guard } from '../guards.ts';
import { everywhere } from '../looked-at.ts';
import { PROMETHEUS_ACCESS, prometheusResource, resourceDraft } from '../prometheus-resource.ts';

export const action: Action = {
  id: 'prometheus.set-external-labels',
  title: 'set the label that names the cluster',
  risk: 'data-loss',
  parameters: { prometheus: 'needed', label: 'optional' },
  access: PROMETHEUS_ACCESS,
  async plan(input) {
    const resource = await prometheusResource(input);
    const { target, object } = resource;
    const name = input.parameters.label || 'cluster';
    const value = input.finding.cluster;
    return resourceDraft(
      resource,
      `set external label ${name} of Prometheus ${target.name} to ${value}`,
      [[['spec', 'externalLabels', name], value]],
      {
        guards: [
          await guard(
            'nothing-renamed',
            'no label that exists is changed',
            () =>
              object.spec?.externalLabels?.[name] === undefined ||
              `it has ${name}="${object.spec.externalLabels[name]}" already`,
          ),
          await guard('name-is-free', 'no other producer of the fleet has it', async () => {
            const producers = await rowsOf(input.fleet, 'fleet.producers');
            const other = producers.find(row => row.labels[name] === value);
            if (other) return `a producer of cluster ${other.cluster} has ${name}="${value}" already`;
            return everywhere(input.lookedAt);
          }),
          await guard('label-name-agreed', 'the other clusters use this label', async () => {
            const producers = await rowsOf(input.fleet, 'fleet.producers');
            const others = producers.filter(row => row.cluster !== input.finding.cluster);
            return (
              others.length === 0 ||
              others.some(row => row.labels[name] !== undefined) ||
              `no other cluster has a label ${name}`
            );
          }),
          await guard('compactor-halted-or-off', 'no Compactor joins blocks that overlap already', async () => {
            const overlapping = (await rowsOf(input.fleet, 'bucket.groups')).find(group => group.overlaps.length > 0);
            if (!overlapping) return true;
            const busy = (await rowsOf(input.fleet, 'thanos.compactors')).find(
              row => row.bucketKey === overlapping.bucketKey && row.running && !row.halted,
            );
            return busy ? `blocks of ${overlapping.labelText} overlap, and ${busy.workload.key} works on them` : true;
          }),
        ],
        riskText:
          'a new identity of every series: old blocks keep the old labels, and what names the old ones has to be changed',
        verify: { what: `${input.finding.rule} is healthy`, seconds: 300 },
        typed: target.name,
        undo: 'takes the label away; blocks written meanwhile keep it',
      },
    );
  },
};
