import { createHash, createHmac } from 'node:crypto';
import type { SimulatedRequest } from './local-server.ts';

const AUTHORIZATION = /Credential=([^/]*)\/([^,]+),\s*SignedHeaders=([^,]+),\s*Signature=([0-9a-f]+)/;

/** The access key of a signed request; undefined for one that is not signed. */
export function accessKeyOf(request: SimulatedRequest): string | undefined {
  return AUTHORIZATION.exec(String(request.headers.authorization ?? ''))?.[1];
}

/** Whether the request's AWS signature (version 4) was made with this secret key. */
export function isSignedWith(request: SimulatedRequest, secretKey: string): boolean {
  const match = AUTHORIZATION.exec(String(request.headers.authorization ?? ''));
  if (!match) return false;
  const [, , scope, names, signature] = match;
  const [path, query = ''] = request.target.split('?');
  const canonicalRequest = [
    request.method,
    path,
    query.split('&').filter(Boolean).map(withEqualsSign).sort().join('&'),
    ...names!.split(';').map(name => `${name}:${String(request.headers[name] ?? '').trim()}`),
    '',
    names,
    request.headers['x-amz-content-sha256'],
  ].join('\n');
  const toSign = [
    'AWS4-HMAC-SHA256',
    request.headers['x-amz-date'],
    scope,
    createHash('sha256').update(canonicalRequest).digest('hex'),
  ].join('\n');
  const key = scope!
    .split('/')
    .reduce<string | Buffer>((from, part) => createHmac('sha256', from).update(part).digest(), `AWS4${secretKey}`);
  return createHmac('sha256', key).update(toSign).digest('hex') === signature;
}

function withEqualsSign(parameter: string): string {
  return parameter.includes('=') ? parameter : `${parameter}=`;
}
