import type { RawObject } from '../model/source.ts';

/** What a simulated server does with one request. */
export type Answer =
  | {
      readonly is: 'answer';
      readonly status: number;
      readonly headers: Readonly<Record<string, string>>;
      readonly body: Buffer;
    }
  /** Nothing is ever said. */
  | { readonly is: 'silence' }
  /** The connection is cut before anything was said. */
  | { readonly is: 'reset' }
  /** The connection is cut in the middle of the body, or nothing more comes over it. */
  | {
      readonly is: 'cut' | 'stalled';
      readonly status: number;
      readonly headers: Readonly<Record<string, string>>;
      readonly body: Buffer;
    };

export type WholeAnswer = Extract<Answer, { readonly is: 'answer' }>;

/** An answer with any body. */
export function answer(status: number, contentType: string, body: string | Uint8Array): WholeAnswer {
  return { is: 'answer', status, headers: contentType ? { 'content-type': contentType } : {}, body: Buffer.from(body) };
}

/** An answer in JSON. */
export function jsonAnswer(status: number, value: RawObject): WholeAnswer {
  return answer(status, 'application/json', JSON.stringify(value));
}

/** The API server's own form of an error. */
export function statusAnswer(status: number, reason: string, message: string, details?: RawObject): WholeAnswer {
  return jsonAnswer(status, {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message,
    reason,
    ...(details && { details }),
    code: status,
  });
}

/** What the API server says of a path that nothing serves: plain text, no Status. */
export function pageNotFound(): WholeAnswer {
  return answer(404, 'text/plain; charset=utf-8', '404 page not found\n');
}

/** One object of a kind was not found. */
export function objectNotFound(group: string, resource: string, name: string): WholeAnswer {
  const qualified = group === '' ? resource : `${resource}.${group}`;
  return statusAnswer(404, 'NotFound', `${qualified} "${name}" not found`, {
    name,
    ...(group && { group }),
    kind: resource,
  });
}
