import { createLog, type Log } from "#platform/log";

/** A line of the log as it would be written. */
export interface LogLine {
  readonly level: string;
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** The program's log, its lines kept. */
export function recordLog(): { readonly log: Log; readonly lines: LogLine[] } {
  const lines: LogLine[] = [];
  const write = (text: string) => {
    const { level, msg, ...fields } = JSON.parse(text) as Record<string, unknown>;
    lines.push({ level: String(level), message: String(msg), fields });
  };
  return { log: createLog({ level: "trace", stream: { write } }).log, lines };
}
