import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What goes wrong with a write, instead of what is answered or once it was done. */
export interface BucketFault {
  readonly applied: boolean;
  /** Left out: the connection is cut. */
  readonly status?: number;
}

export interface Buckets {
  readonly port: number;
  /** Requests that wrote, or would have. */
  readonly writes: readonly string[];
  /** `bucket/` of every bucket, and `bucket/key` of every object. */
  all(): readonly string[];
  close(): void;
}

/** An object store (S3, path style) that can be written: buckets, objects, and the condition that an object is new. */
export async function startBuckets(
  given: Readonly<Record<string, readonly string[]>>,
  fault: (write: number) => BucketFault | undefined = () => undefined,
): Promise<Buckets> {
  const writes: string[] = [];
  const buckets = new Map(Object.entries(given).map(([name, keys]) => [name, new Set(keys)]));
  const server = createServer((request, response) => {
    const [bucket = '', ...rest] = new URL(request.url ?? '/', 'http://s3').pathname
      .slice(1)
      .split('/')
      .map(decodeURIComponent);
    const key = rest.join('/');
    const isWrite = request.method === 'PUT' || request.method === 'DELETE';
    if (isWrite) writes.push(`${request.method} ${request.url}`);
    const wrong = isWrite ? fault(writes.length) : undefined;
    const end = (right: number, code = '') => {
      request.resume();
      if (wrong && wrong.status === undefined) return void request.socket.destroy();
      const status = wrong?.status ?? right;
      response.writeHead(status, { 'content-type': 'application/xml', 'x-amz-request-id': 'test' });
      response.end(
        code && request.method !== 'HEAD' ? `<Error><Code>${code}</Code><Message>${code}</Message></Error>` : '',
      );
    };
    if (wrong && !wrong.applied) return end(500, 'InternalError');
    const objects = buckets.get(bucket);
    if (request.method === 'PUT' && key === '') {
      if (objects) return end(409, 'BucketAlreadyOwnedByYou');
      buckets.set(bucket, new Set());
      return end(200);
    }
    if (!objects) return end(404, 'NoSuchBucket');
    if (request.method === 'HEAD') return end(key === '' || objects.has(key) ? 200 : 404);
    if (request.method === 'DELETE' && key === '') {
      if (objects.size > 0) return end(409, 'BucketNotEmpty');
      buckets.delete(bucket);
      return end(204);
    }
    if (request.method === 'DELETE') {
      objects.delete(key);
      return end(204);
    }
    if (request.method !== 'PUT') return end(405, 'MethodNotAllowed');
    if (request.headers['if-none-match'] === '*' && objects.has(key)) return end(412, 'PreconditionFailed');
    objects.add(key);
    return end(200);
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    writes,
    all: () => [...buckets].flatMap(([name, keys]) => [`${name}/`, ...[...keys].map(key => `${name}/${key}`)]).sort(),
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}
