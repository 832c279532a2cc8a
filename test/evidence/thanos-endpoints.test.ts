import { describe, expect, it } from 'vitest';
import { isUlid, labelText, timeOf, ulidTime } from '../../src/evidence/components/block-times.ts';
import { parseEndpoint, serviceOf } from '../../src/evidence/components/endpoint-address.ts';
import { failureKind } from '../../src/evidence/components/endpoint-errors.ts';
import { countBelow, quantile } from '../../src/evidence/components/histograms.ts';

describe('parseEndpoint', () => {
  it.each([
    ['10.0.0.1:10901', { scheme: '', name: '10.0.0.1:10901', host: '10.0.0.1', port: 10901, fault: '' }],
    ['dns+Store.m.svc:10901', { scheme: 'dns', name: 'store.m.svc:10901', port: 10901, fault: '' }],
    ['dnssrv+_grpc._tcp.s.m.svc', { scheme: 'dnssrv', host: 's.m.svc', portName: 'grpc', port: 0, fault: '' }],
    ['[fd00::1]:10901', { host: '[fd00::1]', port: 10901, fault: '' }],
  ])('reads %s', (given, expected) => {
    expect(parseEndpoint(given)).toMatchObject(expected);
  });

  it.each(['http://h:1', 'h:1/path', 'h', 'dns+h', 'dnssrv+s.m.svc'])('%s cannot be resolved', given => {
    expect(parseEndpoint(given).fault).not.toBe('');
  });

  it('takes no lookup in a strict endpoint', () => {
    expect(parseEndpoint('dns+h:1', true).fault).toContain('strict');
  });
});

describe('serviceOf', () => {
  it.each([
    ['s.m.svc.cluster.local', 'm/s'],
    ['p-0.s.m.svc.cluster.local', 'm/s'],
    ['s.m', 'm/s'],
    ['s', 'own/s'],
    ['s3.minio.example.org', ''],
    ['10.0.0.1', ''],
  ])('%s means %s', (host, expected) => {
    const found = serviceOf(host, 'own');
    expect(found ? `${found.namespace}/${found.name}` : '').toBe(expected);
  });
});

describe('failureKind', () => {
  it.each([
    ['', ''],
    ['dial tcp 10.0.0.1:10901: connect: connection refused', 'refused'],
    ['dial tcp 10.0.0.1:10901: connect: no route to host', 'no-route'],
    ['dial tcp 10.0.0.1:10901: i/o timeout', 'timeout'],
    ['rpc error: code = DeadlineExceeded desc = context deadline exceeded', 'silent'],
    ['error reading server preface: http2: frame too large', 'not-grpc'],
    ['error reading server preface: EOF', 'closed'],
    ['rpc error: code = Unknown desc = Not ready', 'not-ready'],
    ['tls: first record does not look like a TLS handshake', 'tls-mismatch'],
    ['x509: certificate has expired', 'certificate'],
    ['lookup edge on 10.96.0.10:53: no such host', 'unresolved'],
  ])('%s is %s', (words, kind) => {
    expect(failureKind(words)).toBe(kind);
  });
});

describe('times and labels of blocks', () => {
  it('reads the time in a ULID', () => {
    expect(isUlid('01M8410CKGX26VAAAPTXXHCB8X')).toBe(true);
    expect(isUlid('debug')).toBe(false);
    expect(timeOf(ulidTime('01M8410CKGX26VAAAPTXXHCB8X'))).toBe('2026-11-23T11:00:08.944Z');
  });

  it('has no date for "without end"', () => {
    expect(timeOf(9.2e18)).toBe('');
    expect(timeOf(0)).toBe('');
  });

  it('writes labels sorted and without spaces', () => {
    expect(labelText({ b: '2', a: '1"' })).toBe('{a="1\\"",b="2"}');
  });
});

describe('histograms', () => {
  const histogram = {
    count: 100,
    buckets: [
      { le: 1, value: 50 },
      { le: 2, value: 90 },
      { le: Number.MAX_VALUE, value: 100 },
    ],
  };

  it('interpolates inside a bucket, and stops at the last bound', () => {
    expect(quantile(histogram, 0.5)).toBe(1);
    expect(quantile(histogram, 0.7)).toBe(1.5);
    expect(quantile(histogram, 0.99)).toBe(2);
  });

  it('counts up to a bound', () => {
    expect(countBelow(histogram, 1.5)).toBe(90);
  });
});
