import { derived } from '../collector.ts';
import { collector as configCollector } from '../collectors/prometheus.config.ts';
import { gapOf, known, orGap } from '../gaps.ts';

export const collector = derived({
  id: 'prometheus.scrape-jobs',
  about:
    'Scrape jobs that are in the configuration of some Prometheus: proof that a job is there, never that it is not.',
  shape: { jobs: ['str'] },
  async collect(context) {
    const replicas = known(await context.get(configCollector));
    // A replica that was not heard proves nothing, so leaving it out cannot make a job look configured.
    const jobs = replicas.map(replica => orGap(() => replica.jobs)).filter(one => gapOf(one) === undefined);
    return { jobs: [...new Set(jobs.flat())] };
  },
});
