/** Texts of strangers are shown so far, in records, logs and explanations. */
const maxShownLength = 200;

export function cut(text: string): string {
  return text.length <= maxShownLength ? text : `${text.slice(0, maxShownLength)}…`;
}

export function isoTime(millis: number): string {
  return new Date(millis).toISOString();
}
