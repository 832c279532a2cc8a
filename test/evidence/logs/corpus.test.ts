import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { scanLog } from '../../../src/evidence/logs/run-scan.ts';
import { matchesIn } from '../../../src/evidence/logs/signature-file.ts';
import { AFTER_AN_EXIT, signatures } from './signatures-of-the-package.ts';

interface CorpusLine {
  readonly component: string;
  readonly symptom: string;
  readonly healthy: boolean;
  readonly line: string;
}

const LINES: readonly CorpusLine[] = readFileSync(new URL('../../corpus/log-lines.jsonl', import.meta.url), 'utf8')
  .trim()
  .split('\n')
  .map(line => JSON.parse(line));

/** What a label of the corpus asks for: each of these signatures. */
const MEANINGS: Readonly<Record<string, readonly string[]>> = {
  'am-notify-failed': ['alertmanager-notify-failed'],
  'compact-5m-retention-too-low': ['compact-retention-too-short'],
  'compact-crash-out-of-order-chunks': ['compact-out-of-order-chunks'],
  'compact-halted-bad-block': ['compact-halted', 'compact-block-damaged'],
  'compact-halted-disk-full': ['compact-halted', 'compact-disk-full'],
  'compact-halted-exit': ['compact-exits-on-critical-error', 'compact-overlap'],
  'compact-halted-overlap': ['compact-halted', 'compact-overlap'],
  'compact-partial-delete-failed': ['compact-cannot-delete'],
  'compact-s3-response-timeout': ['s3-response-timeout'],
  'compact-sync-timeout': ['bucket-sync-timeout'],
  'compact-viewer-fetch-failed': ['compact-viewer-sync-failed'],
  'grafana-datasource-refused': ['grafana-datasource-refused'],
  'grafana-datasource-wrong-url': ['grafana-datasource-not-prometheus'],
  'grafana-db-locked': ['grafana-database-locked'],
  'grafana-db-locked-provisioning': ['grafana-database-locked'],
  'operator-rejected-resource': ['operator-object-rejected'],
  'prom-alertmanager-unreachable': ['prometheus-alerts-not-sent'],
  'prom-bad-config': ['prometheus-config-rejected'],
  'prom-checkpoint-failed': ['prometheus-checkpoint-failed'],
  'prom-compaction-failed': ['prometheus-compaction-failed'],
  'prom-data-permission': ['prometheus-data-not-writable'],
  'prom-duplicate-timestamp': ['prometheus-duplicate-samples'],
  'prom-k8s-sd-forbidden': ['prometheus-discovery-forbidden'],
  'prom-out-of-order': ['prometheus-out-of-order-samples'],
  'prom-rule-eval-failed': ['rule-evaluation-failed'],
  'prom-tsdb-block-corrupt': ['prometheus-storage-not-opened', 'prometheus-block-damaged'],
  'prom-tsdb-meta-missing': ['prometheus-block-without-meta'],
  'prom-wal-corrupt-repaired': ['prometheus-wal-repaired'],
  'prom-wal-segments-gap': ['prometheus-wal-beyond-repair'],
  'query-dns-missing-port': ['query-endpoint-has-no-port'],
  'query-dns-servfail': ['query-dns-unanswered'],
  'query-dns-srv-nxdomain': ['query-srv-record-missing'],
  'query-duplicate-external-labels': ['query-duplicate-producer'],
  'query-endpoint-ingress-503': ['query-endpoint-behind-http-proxy'],
  'query-endpoint-ingress-upstream': ['query-endpoint-behind-http-proxy'],
  'query-endpoint-removed': ['query-endpoint-removed'],
  'query-endpoint-tls-client-plain-server': ['query-endpoint-speaks-plaintext'],
  'query-endpoint-unreachable': ['query-endpoint-deadline'],
  'query-endpoint-wrong-port-http': ['query-endpoint-not-grpc'],
  'query-partial-response': ['query-partial-response'],
  'reloader-trigger-failed': ['reloader-reload-failed'],
  'rule-alertmanager-unreachable': ['rule-alerts-not-sent'],
  'rule-no-alertmanager': ['rule-no-alertmanager'],
  'rule-no-query-endpoint': ['rule-no-query-server'],
  'rule-partial-warnings': ['rule-partial-answers'],
  'rule-query-unreachable': ['rule-query-unreachable'],
  'rule-s3-upload-failed': ['rule-upload-failed', 's3-invalid-access-key'],
  'sidecar-block-duration-mismatch': ['sidecar-block-durations-differ'],
  'sidecar-local-block-corrupt': ['sidecar-local-block-unreadable'],
  'sidecar-local-disk-full': ['sidecar-upload-dir-disk-full'],
  'sidecar-no-external-labels': ['sidecar-no-external-labels'],
  'sidecar-no-objstore-config': ['sidecar-uploads-disabled'],
  'sidecar-objstore-endpoint-scheme': ['objstore-endpoint-has-scheme'],
  'sidecar-objstore-missing-endpoint': ['objstore-endpoint-missing'],
  'sidecar-objstore-missing-key': ['objstore-half-of-the-key-missing'],
  'sidecar-objstore-unknown-field': ['objstore-unknown-field'],
  'sidecar-objstore-yaml-invalid': ['objstore-yaml-invalid'],
  'sidecar-prometheus-unreachable': ['sidecar-lost-prometheus'],
  'sidecar-ready-timeout': ['sidecar-gave-up-waiting'],
  'sidecar-s3-access-denied': ['s3-access-denied'],
  'sidecar-s3-access-key-disabled': ['s3-account-disabled'],
  'sidecar-s3-bucket-name-empty': ['s3-bucket-name-empty'],
  'sidecar-s3-clock-skew': ['s3-clock-skew'],
  'sidecar-s3-conn-refused': ['s3-conn-refused'],
  'sidecar-s3-conn-timeout': ['s3-conn-timeout', 'sidecar-upload-timed-out'],
  'sidecar-s3-connection-closed': ['s3-response-timeout'],
  'sidecar-s3-dns-servfail': ['s3-dns-servfail'],
  'sidecar-s3-dns-timeout': ['s3-dns-timeout'],
  'sidecar-s3-http-response-to-https-client': ['s3-http-response-to-https-client'],
  'sidecar-s3-ingress-no-upstream': ['s3-proxy-no-backend'],
  'sidecar-s3-invalid-access-key': ['s3-invalid-access-key'],
  'sidecar-s3-no-route': ['s3-no-route'],
  'sidecar-s3-not-an-s3-endpoint': ['s3-not-an-s3-endpoint'],
  'sidecar-s3-partial-cleanup-failed': ['s3-partial-block-left'],
  'sidecar-s3-region-mismatch': ['s3-region'],
  'sidecar-s3-response-timeout': ['s3-response-timeout'],
  'sidecar-s3-signature-mismatch': ['s3-signature-mismatch'],
  'sidecar-s3-slowdown': ['s3-slowdown'],
  'sidecar-s3-storage-full': ['s3-storage-full'],
  'sidecar-s3-x509-unknown-ca': ['s3-x509-unknown-ca'],
  'sidecar-upload-interrupted': ['upload-interrupted'],
  'sidecar-volume-not-writable': ['sidecar-upload-dir-not-writable'],
  'sidecar-wal-dir-inaccessible': ['sidecar-data-dir-not-shared'],
  'store-access-denied': ['s3-access-denied'],
  'store-block-load-failed': ['store-block-load-failed'],
  'store-cache-dir-permission': ['thanos-data-dir-not-writable'],
  'store-incomplete-view': ['bucket-view-incomplete'],
  'store-initial-sync-failed': ['store-initial-sync-failed'],
  'store-invalid-access-key': ['s3-invalid-access-key'],
  'store-not-ready-bucket': ['s3-not-initialised'],
  'store-sync-failed': ['store-sync-failed'],
};

/** Labels of unhealthy lines for which there is no signature, each with the reason. None today. */
const UNCOVERED: Readonly<Record<string, string>> = {};

const searchOf = (line: CorpusLine) =>
  signatures.search(line.component === 'prometheus-operator' ? 'operator' : line.component);

const unhealthy = LINES.filter(line => !line.healthy);
const healthy = LINES.filter(line => line.healthy);

test('every label of an unhealthy line has a meaning, or a reason for having none', () => {
  const labels = new Set(unhealthy.map(line => line.symptom));
  expect([...labels].sort()).toEqual([...Object.keys(MEANINGS), ...Object.keys(UNCOVERED)].sort());
});

test.each(unhealthy.map(line => [line.symptom, line] as const))('%s is recognised', (symptom, line) => {
  const found = matchesIn(searchOf(line), line.line).map(signature => signature.id);
  expect(found).toEqual(expect.arrayContaining([...(MEANINGS[symptom] ?? [])]));
});

test.each(healthy.map(line => [line.symptom, line] as const))('%s is no problem', async (_symptom, line) => {
  const component = line.component === 'prometheus-operator' ? 'operator' : line.component;
  const { hits } = await scanLog(signatures, component, [Buffer.from(`2026-05-04T11:59:00Z ${line.line}\n`)]);
  const problems = hits.filter(({ signature }) => !signature.marker && !AFTER_AN_EXIT.has(signature.id));
  expect(problems.map(({ signature }) => signature.id)).toEqual([]);
});
