/**
 * The shape of evidence: every documented field is always present ('' , 0, false, [], {} where the source has nothing).
 *
 * `str` string · `time` RFC 3339 string, '' if none · `int` integer (bytes, millicores, seconds: the field says) ·
 * `float` · `bool` · `map` string → string · `any` not described further · `[shape]` a list · `{…}` a record.
 */
export type Shape =
  | 'str'
  | 'time'
  | 'int'
  | 'float'
  | 'bool'
  | 'map'
  | 'any'
  | readonly [Shape]
  | { readonly [field: string]: Shape };

/** The TypeScript type of a value of that shape. */
export type ShapeOf<S> = S extends 'str' | 'time'
  ? string
  : S extends 'int' | 'float'
    ? number
    : S extends 'bool'
      ? boolean
      : S extends 'map'
        ? Readonly<Record<string, string>>
        : S extends 'any'
          ? // biome-ignore lint/suspicious/noExplicitAny: the shape says that nothing is known of it
            any
          : S extends readonly [infer Element]
            ? readonly ShapeOf<Element>[]
            : S extends { readonly [field: string]: Shape }
              ? { readonly [Field in keyof S]: ShapeOf<S[Field]> }
              : never;

/**
 * An object, as evidence names it. `key` is `Kind namespace/name`, `Kind name` without namespace, and carries
 * ` @cluster` where it lies in another cluster than the evidence (see `objectKey`).
 */
export interface Ref {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly key: string;
}
