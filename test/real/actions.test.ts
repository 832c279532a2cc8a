import { afterAll, beforeAll, describe } from 'vitest';
import { describeActions } from '../remediations/action-suite.ts';
import { controlPlaneAssets } from './control-plane.ts';
import { type RealCluster, startRealCluster } from './real-cluster.ts';

const assets = controlPlaneAssets();

describe.skipIf(assets === '')('on a real API server', () => {
  let cluster: RealCluster;
  beforeAll(async () => {
    cluster = await startRealCluster(assets);
  }, 150_000);
  afterAll(() => cluster?.close());

  describeActions(options => cluster.start(options));
});
