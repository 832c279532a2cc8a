import { describe, expect, it } from 'vitest';
import { commandLine, flagValue, flagValues, switchedOn } from '../../src/evidence/components/command-line.ts';
import { identify, imageVersion } from '../../src/evidence/components/identify.ts';

describe('commandLine', () => {
  it('takes arguments apart, with and without an equals sign', () => {
    const line = commandLine(
      [],
      ['query', '--endpoint=a:1', '--endpoint', 'b:2', '--query.auto-downsampling', '--wait'],
    );
    expect(line.verb).toBe('query');
    expect(flagValues(line.flags, '--endpoint')).toEqual(['a:1', 'b:2']);
    expect(switchedOn(line.flags, '--query.auto-downsampling')).toBe(true);
  });

  it('finds the program in a command, and in the script of a shell', () => {
    expect(commandLine(['/bin/thanos'], ['store', '--data-dir=/d'])).toMatchObject({
      program: 'thanos',
      verb: 'store',
    });
    const wrapped = commandLine(
      ['/bin/sh', '-c'],
      ['ulimit -n 9999; exec thanos compact --wait \\\n --data-dir "/a b"'],
    );
    expect(wrapped).toMatchObject({ program: 'thanos', verb: 'compact' });
    expect(flagValue(wrapped.flags, '--data-dir')).toBe('/a b');
  });

  it('lets the last switch count, and knows its negation', () => {
    const { flags } = commandLine([], ['query', '--no-query.partial-response']);
    expect(switchedOn(flags, '--query.partial-response', true)).toBe(false);
    expect(switchedOn(flags, '--wait')).toBe(false);
  });
});

describe('identify', () => {
  const of = (image: string, args: readonly string[], command: readonly string[] = []) =>
    identify({ image, args, command });

  it.each([
    ['quay.io/thanos/thanos:v0.37.2', ['sidecar', '--prometheus.url=http://127.0.0.1:9090'], 'sidecar'],
    ['registry.local/mirror/t:1', ['query', '--grpc-address=:10901'], 'query'],
    ['quay.io/prometheus/prometheus:v3.6.0', ['--config.file=/x'], 'prometheus'],
    ['registry.local/p@sha256:00', ['--storage.tsdb.path=/prometheus'], 'prometheus'],
    ['quay.io/prometheus-operator/prometheus-operator:v0.85.0', ['--kubelet-service=x'], 'operator'],
    ['quay.io/prometheus/node-exporter:v1', ['--path.procfs=/host/proc'], ''],
    ['rancher/mirrored-thanos-thanos:v0.37.2', ['query'], 'query'],
    ['rancher/mirrored-prometheus-operator-prometheus-operator:v0.85.0', [], 'operator'],
    ['rancher/mirrored-longhornio-longhorn-manager:v1.7.2', [], 'longhorn-manager'],
    ['example.org/shop:1', ['store', '--name=x'], ''],
    ['example.org/query:1', ['query'], ''],
  ])('%s %j is %s', (image, args, component) => {
    expect(of(image, args)).toBe(component);
  });

  it('tells by the command where the image says nothing', () => {
    expect(of('registry.local/a:1', ['--listen-address=:8080'], ['/bin/prometheus-config-reloader'])).toBe(
      'config-reloader',
    );
  });
});

describe('imageVersion', () => {
  it.each([
    ['quay.io/thanos/thanos:v0.37.2', '0.37.2'],
    ['docker.io/bitnami/thanos:0.39.2-debian-12-r3', '0.39.2'],
    ['localhost:5000/thanos', ''],
    ['quay.io/thanos/thanos:latest', ''],
    ['quay.io/thanos/thanos@sha256:abc', ''],
  ])('%s is %s', (image, version) => {
    expect(imageVersion(image)).toBe(version);
  });
});
