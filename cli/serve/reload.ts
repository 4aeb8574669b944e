import type { ConfigurationStatus } from "#authz/transport/admin/contract";
import type { Clock } from "#platform/clock";
import { messageOf } from "#platform/coded-error";
import type { Log } from "#platform/log";
import { renderFinding } from "../config/codes.ts";
import type { ServiceConfig } from "../config/model.ts";
import type { ReloadResult, ServiceParts } from "./contract.ts";

export interface ReloadParts extends Pick<ServiceParts, "loadConfig" | "configFile"> {
  readonly clock: Clock;
  readonly log: Log;
  /** When the configuration in force was read. */
  readonly loadedMillis: number;
  readonly ending: () => boolean;
  /** Puts a configuration in force, or throws why not. */
  readonly apply: (next: ServiceConfig) => Promise<void>;
  /** What follows every reading: reads what the configuration in force names. Tells why its policies are refused. */
  readonly renew: (asked: boolean) => Promise<string | undefined>;
}

/** The configuration, read again. */
export interface Reload {
  /** What is wrong changes nothing but the status. One at a time. `asked`: by somebody, not because a file has changed. */
  read(asked: boolean): Promise<ReloadResult>;
  status(): ConfigurationStatus;
}

const aboutToEnd: ReloadResult = { ok: false, messages: ["the service is about to end"] };

export function createReload({ configFile, clock, log, ...parts }: ReloadParts): Reload {
  let { loadedMillis } = parts;
  let fault: ConfigurationStatus["fault"];
  /** What was told of a configuration that is refused: its text with what is wrong. */
  let refusalTold: string | undefined;
  let reading: Promise<unknown> = Promise.resolve();

  const attempt = async (asked: boolean): Promise<ReloadResult> => {
    if (parts.ending()) return aboutToEnd;
    const messages: string[] = [];
    const loaded = await parts.loadConfig();
    if (!loaded.ok) messages.push(...loaded.findings.map(renderFinding));
    else {
      try {
        await parts.apply(loaded.config);
      } catch (cause) {
        messages.push(messageOf(cause));
      }
    }
    // What the end has interrupted says nothing about the configuration.
    if (parts.ending()) return aboutToEnd;
    if (messages.length === 0) {
      loadedMillis = clock.nowMillis();
      fault = undefined;
      refusalTold = undefined;
      log.info({ file: configFile }, "configuration in force");
    } else {
      // A copy: what follows about the policies is another fault.
      fault = { atMillis: clock.nowMillis(), messages: [...messages] };
      // One edit leads to several readings, and certificates are exchanged beside a configuration that stays wrong.
      const told = JSON.stringify([loaded.text, messages]);
      if (told !== refusalTold) {
        log.error({ file: configFile, messages }, "the configuration is refused, the old one stays in force");
      } else if (asked) log.info({ file: configFile }, "the configuration is still refused");
      refusalTold = told;
    }
    const refused = await parts.renew(asked);
    if (refused !== undefined) messages.push(refused);
    return { ok: messages.length === 0, messages };
  };

  return {
    read(asked) {
      const result = reading.then(() => attempt(asked));
      reading = result.catch(() => undefined);
      return result;
    },
    status: () => ({ file: configFile, loadedMillis, fault }),
  };
}
