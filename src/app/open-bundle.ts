import { openBundleFiles } from '../clusters/bundle-files.ts';
import { openBundleCluster, readManifest } from '../clusters/bundle-source.ts';
import type { Source } from '../model/source.ts';

/** The clusters of a bundle, as sources. Throws a `UserError` where it cannot be used. */
export async function openBundle(place: string): Promise<readonly Source[]> {
  const files = await openBundleFiles(place);
  const manifest = await readManifest(files);
  return Promise.all(manifest.clusters.map(cluster => openBundleCluster(files, cluster)));
}
