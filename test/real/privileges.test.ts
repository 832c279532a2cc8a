import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openBundleFiles } from '../../src/clusters/bundle-files.ts';
import { type Program, program, temporaryFolder } from '../cli/program.ts';
import { type ApiClient, accepted, applyRoles, openApiClient } from './api-client.ts';
import { type AuditEvent, type ControlPlane, controlPlaneAssets, startControlPlane, TOKENS } from './control-plane.ts';
import { type Loaded, loadRecordedWorld } from './recorded-world.ts';

const assets = controlPlaneAssets();
const RECORDING = join(import.meta.dirname, '../incidents/compactor-halted/bundle.tar.gz');

/** A real API server with the objects of a recorded cluster, and the shipped read-only account. */
describe.skipIf(assets === '')('with exactly the shipped read-only role', () => {
  let plane: ControlPlane;
  let api: ApiClient;
  let doctor: Program;
  let loaded: Loaded;
  let environment: Record<string, string>;
  const folder = temporaryFolder();

  beforeAll(async () => {
    doctor = await program();
    plane = await startControlPlane(assets);
    api = openApiClient(plane, TOKENS.tester);
    loaded = await loadRecordedWorld(api, await openBundleFiles(RECORDING), 'cluster-01');
    await applyRoles(api, ['reader.yaml']);
    const token = accepted(
      await api.json('POST', '/api/v1/namespaces/monitoring/serviceaccounts/thanos-doctor/token', {
        apiVersion: 'authentication.k8s.io/v1',
        kind: 'TokenRequest',
        spec: {},
      }),
      'the token',
    ).status.token;
    writeFileSync(join(folder, 'kubeconfig'), plane.kubeconfigFor(token));
    environment = { KUBECONFIG: join(folder, 'kubeconfig') };
  }, 240_000);
  afterAll(async () => {
    api?.close();
    await plane?.close();
  });

  const asked = (): readonly AuditEvent[] =>
    plane.audited().filter(({ user }) => user.username === 'system:serviceaccount:monitoring:thanos-doctor');

  test('the world is there', () => {
    expect(loaded.refused).toEqual([]);
    expect(loaded.count).toBeGreaterThan(300);
  });

  test.each([
    ['diagnose', ['diagnose', '--format', 'json']],
    ['collect', ['collect', '-o', join(folder, 'bundle')]],
  ])('%s asks for nothing outside of it', async (_, args) => {
    const before = asked().length;
    const { code, stderr, stdout } = await doctor.run(args, environment);
    expect([0, 1, 3], stdout + stderr).toContain(code);
    const now = asked().slice(before);
    const forbidden = now.filter(
      ({ annotations, responseStatus }) =>
        annotations?.['authorization.k8s.io/decision'] === 'forbid' || responseStatus?.code === 403,
    );
    expect(forbidden.map(({ verb, requestURI }) => `${verb} ${requestURI}`)).toEqual([]);
    expect(now.length).toBeGreaterThan(60);
    const writing = now.filter(({ verb }) => !['get', 'list', 'watch'].includes(verb));
    expect(new Set(writing.map(({ requestURI }) => requestURI))).toEqual(
      new Set([
        '/apis/authorization.k8s.io/v1/selfsubjectrulesreviews',
        '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews',
      ]),
    );
  });
});
