import { controlPlaneAssets, startControlPlane, TOKENS } from '../real/control-plane.ts';
import { fillServer } from './real-fleet.ts';

/** A real API server with so many pods, until it is told to end: real-server.mjs PODS. */
const [pods] = process.argv.slice(2);
const plane = await startControlPlane(controlPlaneAssets());
const end = () => plane.close().then(() => process.exit());
process.on('SIGTERM', end);
process.on('SIGINT', end);
try {
  const started = Date.now();
  const target = { url: plane.url, token: TOKENS.tester };
  const counts = await fillServer(target, Number(pods));
  const seconds = Math.round((Date.now() - started) / 1000);
  console.log(JSON.stringify({ ...target, kubeconfig: plane.kubeconfig, counts, seconds }));
} catch (error) {
  await plane.close();
  throw error;
}
