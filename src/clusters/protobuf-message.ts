/**
 * What is read of one message: the JSON name of each field with its number and kind; `[kind]` is repeated, and the name
 * '' stands for a message whose fields are those of this one in JSON. Everything else in the message is skipped.
 */
export interface Message {
  readonly [name: string]: readonly [number: number, kind: FieldKind | readonly [FieldKind]];
}

/**
 * With `?`, a zero is a value: the field is a pointer in Go, or is always written as JSON. Without, a zero is an absence,
 * although it is written as protobuf.
 */
export type FieldKind =
  | Message
  | 'text'
  | 'text?'
  | 'int'
  | 'int?'
  | 'flag'
  | 'flag?'
  | 'time'
  | 'microTime'
  | 'quantity'
  | 'intOrText'
  | 'texts'
  | 'quantities';
