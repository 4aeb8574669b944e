import { type DestinationStream, destination, type Logger, pino } from "pino";

/** A logger as the program's parts see it: fields first, then the sentence. */
export type Log = Pick<Logger, "trace" | "debug" | "info" | "warn" | "error" | "fatal">;

const logLevels = ["trace", "debug", "info", "warn", "error", "fatal", "silent"] as const;
export type LogLevel = (typeof logLevels)[number];

/** Fields that never reach a log, at the top and one and two levels down. */
const secretFields = [
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
];

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
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: secretFields.flatMap((name) => paths(name)), censor: "[redacted]" },
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

function paths(name: string): string[] {
  const member = `["${name}"]`;
  return [member, `*${member}`, `*.*${member}`];
}

function flushQuietly(sink: { flushSync(): void } | undefined): void {
  try {
    sink?.flushSync();
  } catch {
    // Standard output that was never opened, or is gone, has nothing to lose.
  }
}
