import { wholeFiles } from '../clusters/bundle-contents.ts';
import { openBundleFiles } from '../clusters/bundle-files.ts';
import { openBundleCluster, readManifest } from '../clusters/bundle-source.ts';
import type { Source } from '../model/source.ts';

/** The clusters of a bundle, as sources. Throws a `UserError` where it cannot be used. */
export async function openBundle(place: string): Promise<readonly Source[]> {
  const files = await openBundleFiles(place);
  try {
    const manifest = await readManifest(files);
    const whole = await wholeFiles(files, manifest.files);
    const sources = await Promise.all(manifest.clusters.map(cluster => openBundleCluster(whole, cluster)));
    const open = new Set(sources);
    const close = async (source: Source) => {
      if (open.delete(source) && open.size === 0) await files.close();
    };
    return sources.map(source => ({ ...source, close: () => close(source) }));
  } catch (error) {
    await files.close();
    throw error;
  }
}
