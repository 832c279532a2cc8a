import { parse } from 'yaml';
import type { ShapeOf } from '../../model/shape.ts';
import type { RawObject } from '../../model/source.ts';
import { fetched } from '../collector.ts';
import { isIpAddress } from '../components/endpoint-address.ts';
import { askEach, type Part, replicasOf } from '../components/replicas.ts';
import { list, malformed, REF, strings, text } from '../objects.ts';
import { seconds } from '../quantities.ts';

const SHAPE = [
  {
    prometheus: REF,
    pod: REF,
    /** The container runs. What one that does not would have said is unknown. */
    running: 'bool',
    externalLabels: 'map',
    scrapeInterval: 'int',
    evaluationInterval: 'int',
    /** Names of the scrape jobs: the pools. */
    jobs: ['str'],
    /** How many ways to find Alertmanagers are configured. */
    alertmanagers: 'int',
    /** host:port of those that are named one by one. */
    alertmanagerTargets: ['str'],
    /** Names that have to be looked up to find them, by themselves or by their records. */
    alertmanagerNames: ['str'],
    ruleFiles: ['str'],
    remoteWrite: 'int',
  },
] as const;

type Row = ShapeOf<typeof SHAPE>[number];

export const collector = fetched({
  id: 'prometheus.config',
  about: 'The configuration in force in each Prometheus: labels, jobs and links; no credential of it is kept.',
  core: true,
  needs: [{ verbs: ['get'], group: '', resource: 'pods/proxy' }],
  shape: SHAPE,
  async collect(context): Promise<ShapeOf<typeof SHAPE>> {
    const part: Part<Row> = {
      fields: [
        'externalLabels',
        'scrapeInterval',
        'evaluationInterval',
        'jobs',
        'alertmanagers',
        'alertmanagerTargets',
        'alertmanagerNames',
        'ruleFiles',
        'remoteWrite',
      ],
      async read(asker) {
        const config = configurationOf(text((await asker.api('/api/v1/status/config')).yaml));
        const alertmanagers = list(config.alerting?.alertmanagers);
        const targets = alertmanagers.flatMap(one =>
          list(one?.static_configs).flatMap(group => list(group?.targets).map(text)),
        );
        const records = alertmanagers.flatMap(one =>
          list(one?.dns_sd_configs).flatMap(group => list(group?.names).map(text)),
        );
        const hosts = targets.map(target => target.replace(/:\d+$/, ''));
        return {
          externalLabels: strings(config.global?.external_labels),
          scrapeInterval: Math.round(seconds(text(config.global?.scrape_interval) || '1m')),
          evaluationInterval: Math.round(seconds(text(config.global?.evaluation_interval) || '1m')),
          jobs: list(config.scrape_configs).map(job => text(job?.job_name)),
          alertmanagers: alertmanagers.length,
          alertmanagerTargets: targets,
          alertmanagerNames: [...hosts.filter(host => !isIpAddress(host)), ...records],
          ruleFiles: list(config.rule_files).map(text),
          remoteWrite: list(config.remote_write).length,
        };
      },
    };
    return askEach<Row>(
      context,
      { id: 'prometheus.config', core: true },
      await replicasOf(context, ['prometheus']),
      replica => ({ prometheus: replica.subject, pod: replica.pod, running: replica.running }),
      [part],
    );
  },
});

function configurationOf(yaml: string): RawObject {
  let document: RawObject;
  try {
    // No resolution of types beyond YAML's core: a label value `01` is text for Prometheus as well when it is quoted.
    document = parse(yaml, { logLevel: 'silent' });
  } catch {
    throw malformed('the configuration that Prometheus shows is not YAML');
  }
  if (typeof document !== 'object' || document === null)
    throw malformed('the configuration that Prometheus shows is empty');
  return document;
}
