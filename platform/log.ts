import { type DestinationStream, destination, type Logger, pino, stdSerializers } from "pino";

/** A logger as the program's parts see it: fields first, then the sentence. */
export type Log = Pick<Logger, "trace" | "debug" | "info" | "warn" | "error" | "fatal">;

const logLevels = ["trace", "debug", "info", "warn", "error", "fatal", "silent"] as const;
export type LogLevel = (typeof logLevels)[number];

/** Fields that never reach a log, at the top and one and two levels down. */
const secretFields: ReadonlySet<string> = new Set([
  "authorization",
  "Authorization",
  "proxy-authorization",
  "cookie",
  "Cookie",
  "set-cookie",
  "x-forwarded-client-cert",
  "x-garita-secret",
  "secret",
  "password",
  "token",
  "access_token",
  "privateKey",
  "key",
]);
const secretLevels = 2;

/** How much may wait for a slow reader of the log before lines are dropped. */
const backlogSizeBytes = 64 * 1024 * 1024;

export interface LogOutput {
  readonly log: Log;
  setLevel(level: LogLevel): void;
  /** Writes out what waits. To be called before the program ends. */
  flush(): void;
  /** Lines dropped because nobody read them. */
  readonly dropped: () => number;
}

/**
 * JSON lines with a time (ISO 8601), a level by name and a message; secrets are replaced by `[redacted]`. `stream` replaces
 * standard output in tests.
 */
export function createLog(options: { readonly level: LogLevel; readonly stream?: DestinationStream }): LogOutput {
  let dropped = 0;
  const sink =
    options.stream === undefined ? destination({ fd: 1, sync: false, maxLength: backlogSizeBytes }) : undefined;
  sink?.on("drop", () => dropped++);
  // A reader that is gone takes the log with it, not the service.
  sink?.on("error", () => dropped++);
  const logger = pino(
    {
      level: options.level,
      base: null,
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: label }), log: (fields) => withoutSecrets(fields, secretLevels) },
      serializers: { err: (fault) => withoutSecrets(stdSerializers.err(fault), secretLevels - 1) },
    },
    options.stream ?? sink!,
  );
  return {
    log: logger,
    setLevel(level) {
      logger.level = level;
    },
    flush: () => flushQuietly(sink),
    dropped: () => dropped,
  };
}

/**
 * The fields with `[redacted]` for secrets: themselves where there is none. PERF: pino's own way, a list of paths, takes 25 µs for a line of seven fields, more than
 * the rest of the line (`bench/ca.ts`).
 */
function withoutSecrets<T extends object>(fields: T, levels: number): T {
  let copy: Record<string, unknown> | undefined;
  for (const name of Object.keys(fields)) {
    const value: unknown = Reflect.get(fields, name);
    const shown = secretFields.has(name) ? redacted(value) : inner(value, levels);
    if (shown === value) continue;
    copy ??= (Array.isArray(fields) ? [...fields] : { ...fields }) as Record<string, unknown>;
    copy[name] = shown;
  }
  return (copy ?? fields) as T;
}

/** What is not there is not told to be hidden. */
function redacted(value: unknown): unknown {
  return value === undefined ? undefined : "[redacted]";
}

/** Errors are looked at when they are written. */
function inner(value: unknown, levels: number): unknown {
  return levels === 0 || typeof value !== "object" || value === null || value instanceof Error
    ? value
    : withoutSecrets(value, levels - 1);
}

function flushQuietly(sink: { flushSync(): void } | undefined): void {
  try {
    sink?.flushSync();
  } catch {
    // Standard output that was never opened, or is gone, has nothing to lose.
  }
}
