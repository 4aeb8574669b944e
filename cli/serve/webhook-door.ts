import type { WebhookServer } from "#authz/transport/webhook/serve";
import type { WebhookConfig } from "#cli/config/model";
import { type Address, renderAddress } from "#platform/address";
import type { Clock } from "#platform/clock";
import { CodedError, messageOf } from "#platform/coded-error";
import type { Log } from "#platform/log";
import type { Metrics } from "#platform/metrics";
import { readPrivateSecret } from "#platform/secret";
import type { Timers } from "#platform/timers";
import { loadTlsMaterial, type TlsMaterial } from "#platform/tls-material";

export interface PreparedWebhook {
  readonly address: Address;
  readonly tls: TlsMaterial | undefined;
  readonly secret: Uint8Array;
  /** Equal texts: nothing has changed. */
  readonly mark: string;
}

/** Reads the files that the listener for webhooks needs. Fails with the coded error of the first that cannot be used. */
export async function prepareWebhook(config: WebhookConfig): Promise<PreparedWebhook> {
  const { address } = config;
  const secret = await readPrivateSecret(config.secretFile);
  const tls = config.tls && (await loadTlsMaterial(config.tls));
  const files = [secret, tls?.cert, tls?.key, tls?.ca].map((bytes) => Buffer.from(bytes ?? "").toString("base64"));
  return { address, tls, secret, mark: JSON.stringify([config, files]) };
}

export interface WebhookDoorParts {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly metrics: Metrics;
  readonly log: Log;
  readonly onHint: () => void;
}

/** The listener for webhooks, and how it becomes another. */
export interface WebhookDoor {
  /** All or nothing: when the new one cannot be opened, the old one is again, and the fault is thrown. */
  become(wanted: PreparedWebhook | undefined): Promise<void>;
  wanted(): PreparedWebhook | undefined;
  address(): Address | undefined;
  stop(deadline: AbortSignal): Promise<void>;
}

export function createWebhookDoor({ metrics, ...parts }: WebhookDoorParts): WebhookDoor {
  let running: { readonly prepared: PreparedWebhook; readonly server: WebhookServer } | undefined;
  const counts = metrics.counter({
    name: "garita_webhook_deliveries_total",
    help: "Requests at the listener for webhooks: taken, repeated, wrong-signature or not-understood.",
    labels: ["result"],
  });
  const open = async (prepared: PreparedWebhook) => {
    // PERF: most services take no webhooks.
    const { serveWebhook, webhookResults } = await import("#authz/transport/webhook/serve");
    for (const result of webhookResults) counts.with(result);
    const { address, tls, secret } = prepared;
    const count = (result: string) => {
      counts.with(result).value++;
    };
    const server = await serveWebhook({ address, tls, secret, count, ...parts }).catch((cause: unknown) => {
      if (!(cause instanceof CodedError)) throw cause;
      throw new CodedError(cause.code, `webhook: ${cause.message}`, { cause });
    });
    parts.log.info({ listener: "webhook", address: renderAddress(server.address) }, "listening");
    running = { prepared, server };
  };
  return {
    async become(wanted) {
      const old = running;
      if (wanted?.mark === old?.prepared.mark) return;
      running = undefined;
      // ORDER: the address may be the same. A delivery that is cut off is sent again, and lost it does no harm.
      await old?.server.stop(AbortSignal.abort());
      if (wanted === undefined) return;
      try {
        await open(wanted);
      } catch (fault) {
        if (old !== undefined)
          await open(old.prepared).catch((again: unknown) =>
            parts.log.error({ fault: messageOf(again) }, "the listener for webhooks is not back"),
          );
        throw fault;
      }
    },
    wanted: () => running?.prepared,
    address: () => running?.server.address,
    async stop(deadline) {
      await running?.server.stop(deadline);
    },
  };
}
