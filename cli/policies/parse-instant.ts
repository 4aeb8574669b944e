const shape = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/;

/** Unix milliseconds of an RFC 3339 time (§5.6, upper-case letters); undefined for what is none, the 30th of February too. */
export function parseInstant(text: string): number | undefined {
  if (!shape.test(text)) return undefined;
  const day = text.slice(0, 10);
  const start = Date.parse(`${day}T00:00:00Z`);
  const millis = Date.parse(text);
  // Date takes the 30th of February for the 2nd of March (RFC 3339 §5.7).
  if (Number.isNaN(start) || Number.isNaN(millis) || !new Date(start).toISOString().startsWith(day)) return undefined;
  return millis;
}
