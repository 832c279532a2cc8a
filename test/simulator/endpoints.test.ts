import { X509Certificate } from 'node:crypto';
import { connect } from 'node:net';
import { connect as connectTls } from 'node:tls';
import {
  GetObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { madeUpCredential } from '../../src/simulator/credentials.ts';
import { type Fleet, startFleet } from '../../src/simulator/fleet.ts';
import { smallBundle } from './small-bundle.ts';

let fleet: Fleet;

beforeAll(async () => {
  fleet = await startFleet(smallBundle(), { failOnWrite: false });
});

afterAll(() => fleet.close());

function client(access: string, secret: string, endpoint = fleet.s3.url): S3Client {
  const credentials = {
    accessKeyId: madeUpCredential(`hmac:${access}`),
    secretAccessKey: madeUpCredential(`hmac:${secret}`),
  };
  return new S3Client({ endpoint, region: 'us-east-1', forcePathStyle: true, credentials, maxAttempts: 1 });
}

test('a bucket is listed, in pages, by prefix and by folder', async () => {
  const s3 = client('a1', 'b1');
  await s3.send(new HeadBucketCommand({ Bucket: 'blocks' }));
  const first = await s3.send(new ListObjectsV2Command({ Bucket: 'blocks', MaxKeys: 3 }));
  expect(first.Contents!.map(entry => entry.Key)).toEqual(['01A/index', '01A/meta.json', '01B/meta.json']);
  expect(first.Contents![0]).toMatchObject({ Size: 10, LastModified: new Date('2026-02-02T00:00:00Z') });
  const token = first.NextContinuationToken;
  const second = await s3.send(
    new ListObjectsV2Command({ Bucket: 'blocks', ...(token && { ContinuationToken: token }) }),
  );
  expect(second.Contents!.map(entry => entry.Key)).toEqual(['debug/metas/01A.json']);
  expect(second.IsTruncated).toBe(false);
  const folders = await s3.send(new ListObjectsV2Command({ Bucket: 'blocks', Delimiter: '/', MaxKeys: 2 }));
  expect(folders.CommonPrefixes!.map(entry => entry.Prefix)).toEqual(['01A/', '01B/']);
  expect(folders.IsTruncated).toBe(true);
  const more = await s3.send(
    new ListObjectsV2Command({ Bucket: 'blocks', Delimiter: '/', ContinuationToken: folders.NextContinuationToken! }),
  );
  expect(more.CommonPrefixes!.map(entry => entry.Prefix)).toEqual(['debug/']);
});

test('an object is read; one that is not there is said to be so; one without a recorded body is not claimed', async () => {
  const s3 = client('a1', 'b1');
  const read = (key: string) => s3.send(new GetObjectCommand({ Bucket: 'blocks', Key: key }));
  expect(await (await read('01A/meta.json')).Body!.transformToString()).toBe('{"ulid":"01A"}');
  await s3.send(new HeadObjectCommand({ Bucket: 'blocks', Key: '01A/meta.json' }));
  await expect(read('01C/meta.json')).rejects.toMatchObject({ name: 'NoSuchKey' });
  await expect(read('01B/meta.json')).rejects.toMatchObject({ name: 'NotImplemented' });
});

test.each([
  ['a2', 'b1', 'InvalidAccessKeyId'],
  ['a1', 'b9', 'SignatureDoesNotMatch'],
  ['a7', 'b1', 'InvalidAccessKeyId'],
])('keys %s and %s are refused with %s', async (access, secret, name) => {
  const s3 = client(access, secret);
  await expect(s3.send(new ListObjectsV2Command({ Bucket: 'blocks' }))).rejects.toMatchObject({ name });
});

test('a write is refused and told', async () => {
  await expect(
    client('a1', 'b1').send(new PutObjectCommand({ Bucket: 'blocks', Key: 'x', Body: 'x' })),
  ).rejects.toMatchObject({ name: 'MethodNotAllowed' });
  expect(fleet.writes().some(write => write.startsWith('PUT /blocks/x'))).toBe(true);
});

test('TLS spoken to a port that speaks HTTP fails by itself', async () => {
  const s3 = client('a1', 'b1', fleet.s3.url.replace('http:', 'https:'));
  await expect(s3.send(new ListObjectsV2Command({ Bucket: 'blocks' }))).rejects.toMatchObject({ code: 'EPROTO' });
});

test('an endpoint without a port to connect to is a word', () => {
  expect(fleet.redirect.get('dark.example:80')).toBe('timeout');
});

test('a closed endpoint is closed', async () => {
  const error = await new Promise(resolve => {
    connect(Number(fleet.redirect.get('closed.example:80')!.split(':')[1]), '127.0.0.1').on('error', resolve);
  });
  expect(error).toMatchObject({ code: 'ECONNREFUSED' });
});

test('a gRPC endpoint answers the HTTP/2 preface with SETTINGS, and hangs up on HTTP/1', async () => {
  const port = Number(fleet.redirect.get('edge.example:10901')!.split(':')[1]);
  const say = (text: string) =>
    new Promise<Buffer>(resolve => {
      const socket = connect(port, '127.0.0.1', () => socket.write(text));
      socket.on('data', data => {
        socket.destroy();
        resolve(data);
      });
      socket.on('close', () => resolve(Buffer.alloc(0)));
    });
  expect((await say('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'))[3]).toBe(4);
  expect(await say('GET / HTTP/1.1\r\nHost: x\r\n\r\n')).toHaveLength(0);
});

test('a TLS endpoint shows the recorded certificate, signed by its own authority', async () => {
  const port = Number(fleet.redirect.get('secure.example:443')!.split(':')[1]);
  const certificate = await new Promise<X509Certificate>((resolve, reject) => {
    const socket = connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false }, () => {
      resolve(socket.getPeerX509Certificate()!);
      socket.destroy();
    }).on('error', reject);
  });
  expect(new Date(certificate.validTo)).toEqual(new Date('2026-01-01T00:00:00Z'));
  expect(certificate.subjectAltName).toBe('DNS:secure.example');
  expect(certificate.issuer).toBe('CN=old authority');
  const signers = fleet.authorities.map(authority => new X509Certificate(authority));
  expect(signers.some(signer => certificate.verify(signer.publicKey))).toBe(true);
});
