/** Fields in front of a line that say when and where in the code; the report says when and where of its own. */
const LEADING_FIELD =
  /^(?:\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:\d\d)|(?:ts|time|t|caller|source|level|lvl|logger|component|name|traceID)=(?:"[^"]{0,200}"|\S{0,200}))\s+/;
const ERROR_FIELD = /(?:^|\s)(?:err|error)="((?:[^"\\]|\\.)*)"/;

/**
 * What a log line says, for a place where there is no room for it: the text of its error field, else the line without
 * the fields that it begins with. Reports in files keep the line as it was.
 */
export function essence(line: string): string {
  const error = ERROR_FIELD.exec(line)?.[1];
  if (error !== undefined && error !== '') return error.replace(/\\(["\\])/g, '$1');
  let rest = line;
  for (let field = 0; field < 8; field += 1) {
    const shorter = rest.replace(LEADING_FIELD, '');
    if (shorter === rest) break;
    rest = shorter;
  }
  return rest === '' ? line : rest;
}
