import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { describeActions } from '../remediations/action-suite.ts';
import { describeFaults } from '../remediations/fault-suite.ts';
import { controlPlaneAssets } from './control-plane.ts';
import { type RealCluster, startRealCluster } from './real-cluster.ts';

const assets = controlPlaneAssets();
// Whole matrices of kills are one test.
vi.setConfig({ testTimeout: 180_000 });

describe.skipIf(assets === '')('on a real API server', () => {
  let cluster: RealCluster;
  beforeAll(async () => {
    cluster = await startRealCluster(assets);
  }, 150_000);
  afterAll(async () => {
    vi.resetConfig();
    await cluster?.close();
  });

  describeActions(options => cluster.start(options));
  describeFaults(options => cluster.start(options), false);

  test('nothing was asked for that the shipped roles do not allow', () => {
    expect(cluster.forbidden()).toEqual([]);
  });
});
