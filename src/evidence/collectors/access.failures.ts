import type { ReadFailure } from '../../model/source.ts';
import { fetched } from '../collector.ts';

export const collector = fetched({
  id: 'access.failures',
  about: 'Every read that was answered with an error, or not at all, as far as reading has come.',
  core: true,
  shape: [
    {
      path: 'str',
      /** objects, logs, http, bucket, secret or other */
      kind: 'str',
      namespace: 'str',
      /** 0 where no HTTP answer came */
      status: 'int',
      reason: 'str',
      message: 'str',
      verb: 'str',
      resource: 'str',
      store: 'str',
    },
  ],
  async collect(context) {
    return context.source
      .failures()
      .filter(failure => !saysThatThereIsNone(failure))
      .map(failure => ({
        path: failure.path,
        kind: kindOf(failure.path),
        namespace: /\/namespaces\/([^/]+)\//.exec(failure.path)?.[1] ?? '',
        status: failure.status,
        reason: reasonOf(failure),
        message: failure.message,
        verb: /cannot (\w+) resource/.exec(failure.message)?.[1] ?? '',
        resource: /resource "([^"]+)"/.exec(failure.message)?.[1] ?? '',
        store: failure.store ?? '',
      }))
      .sort((first, second) => (first.path < second.path ? -1 : first.path > second.path ? 1 : 0));
  },
});

/** No log yet, or no earlier run: known, and no failed read. */
function saysThatThereIsNone({ status, message }: ReadFailure): boolean {
  if (status === 204) return true;
  return status === 400 && /is waiting to start|previous terminated container .* not found/.test(message);
}

function kindOf(path: string): string {
  if (path.startsWith('s3://')) return 'bucket';
  if (path.includes('/proxy/')) return 'http';
  if (/\/pods\/[^/]+\/log\b/.test(path)) return 'logs';
  if (path.includes('/secrets/')) return 'secret';
  return path.startsWith('/api') ? 'objects' : 'other';
}

const BY_STATUS: Readonly<Record<number, string>> = {
  401: 'unauthenticated',
  403: 'forbidden',
  404: 'not-found',
  429: 'throttled',
};

function reasonOf({ status, reason, path }: ReadFailure): string {
  if (path.startsWith('s3://') && status > 0) return reason;
  if (status === 200 || status === 0) return reason;
  return BY_STATUS[status] ?? (status >= 500 ? 'server-error' : reason);
}
