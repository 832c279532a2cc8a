import { writeFileSync } from 'node:fs';
import { openBundleFiles } from '../../src/clusters/bundle-files.ts';
import { startFleet } from '../../src/simulator/fleet.ts';
import { syntheticBundle } from '../../src/simulator/synthetic.ts';

/** Serves a synthetic fleet until it is killed: server.mjs CLUSTERS PODS BASE KUBECONFIG. */
const [clusters, podsPerCluster, base, kubeconfig] = process.argv.slice(2);
const bundle = await syntheticBundle({
  clusters: Number(clusters),
  podsPerCluster: Number(podsPerCluster),
  base: await openBundleFiles(base!),
});
const fleet = await startFleet(bundle, { enforceAccess: false, protobuf: true });
writeFileSync(kubeconfig!, fleet.kubeconfig);
console.log(JSON.stringify({ clusters: fleet.clusters.map(({ name, url }) => ({ name, url })) }));
