import { describe, expect, it } from 'vitest';
import { readStoreConfig } from '../../src/evidence/components/store-config.ts';

const key = { set: true, fingerprint: 'hmac:1', edgeSpace: false };
const good = { type: 's3', config: { bucket: 'b', endpoint: 'S3.Example', access_key: key, secret_key: key } };
const withConfig = (more: object) => ({ ...good, config: { ...good.config, ...more } });

describe('readStoreConfig', () => {
  it('reads type without case, and the port that is really used', () => {
    expect(readStoreConfig(good)).toMatchObject({
      type: 'S3',
      host: 's3.example',
      port: 0,
      effectivePort: 443,
      fault: '',
    });
    expect(readStoreConfig(withConfig({ insecure: true })).effectivePort).toBe(80);
    expect(readStoreConfig(withConfig({ endpoint: 'h:9000' }))).toMatchObject({ port: 9000, effectivePort: 9000 });
  });

  it('takes slashes off a prefix', () => {
    expect(readStoreConfig({ ...good, prefix: '/a/b/' }).prefix).toBe('a/b');
  });

  it.each([
    ['manifest-pasted', { apiVersion: 'v1', kind: 'Secret', metadata: {} }],
    ['yaml', 'just text'],
    ['type-missing', { config: good.config }],
    ['type-unknown', { ...good, type: 'S4' }],
    ['unknown-field', withConfig({ insecure_skip_verify: true })],
    ['unknown-field', withConfig({ prefix: 'a' })],
    ['endpoint-form', withConfig({ endpoint: 'https://h' })],
    ['endpoint-form', withConfig({ endpoint: 'h/bucket' })],
    ['endpoint-form', withConfig({ endpoint: '' })],
    ['bucket-empty', withConfig({ bucket: '' })],
    ['credentials-half', withConfig({ secret_key: undefined })],
    ['auth-exclusive', withConfig({ aws_sdk_auth: true })],
    ['value', withConfig({ bucket_lookup_type: 'dns' })],
    ['value', withConfig({ insecure: 'yes' })],
  ])('says %s', (fault, document) => {
    expect(readStoreConfig(document).fault).toBe(fault);
  });

  it('accepts a boolean that is written as text, and fields of other providers', () => {
    expect(readStoreConfig(withConfig({ insecure: 'true' }))).toMatchObject({ fault: '', insecure: true });
    expect(readStoreConfig({ type: 'GCS', config: { bucket: 'b', service_account: key } }).fault).toBe('');
  });
});
