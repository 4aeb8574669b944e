import type { Clock } from "#platform/clock";
import {
  type ProviderResolution,
  type ResolvedProvider,
  resolveProviders,
} from "#policy-compiler/ruleset/providers/resolve";
import type { CustomProvider, CustomProviders, ProviderConnections, ProviderStatus } from "./contract.ts";
import { endpointText } from "./endpoint-text.ts";
import { createGrpcTransport } from "./grpc/client.ts";
import { createHttpTransport } from "./http/client.ts";
import { createProvider } from "./provider.ts";
import type { Transport } from "./transport.ts";

export interface ProviderConnectionsOptions {
  readonly clock: Clock;
  /** PEM of the authorities that may vouch for a provider that speaks TLS; undefined: those that Node trusts. */
  readonly authorities?: Buffer;
  /** Told of every question that a provider failed to answer, and what became of the request. */
  readonly onFailure?: (provider: string, consequence: "failed_open" | "refused") => void;
  /** Told when a provider begins to fail, with the fault, and when it answers again, without. */
  readonly onTurn?: (provider: ProviderStatus, fault: string | undefined) => void;
}

/** A provider with its connections, kept while rule sets define it alike. */
interface Kept {
  readonly resolved: ResolvedProvider;
  readonly provider: CustomProvider;
  readonly transport: Transport;
  inFlight: number;
  /** Not in the newest rule set: whoever still asks it may, and then its connections are closed. */
  retired: boolean;
  lastFault: ProviderStatus["lastFault"];
  failing: boolean;
}

/**
 * The connections to all providers. A provider that a new rule set defines as the one before did keeps its connections; those of others are closed
 * when the last question is answered. The rule set that was asked for last counts as the newest; older ones stay usable.
 */
export function createProviderConnections({
  clock,
  authorities,
  onFailure,
  onTurn,
}: ProviderConnectionsOptions): ProviderConnections {
  let current = new Map<string, Kept>();
  /** Retired, with questions in flight. */
  const leaving = new Set<Kept>();

  function keep(resolved: ResolvedProvider): Kept {
    const transport = createTransport(resolved, clock, authorities);
    const provider = createProvider({
      provider: resolved,
      transport,
      onFault(message, consequence) {
        kept.lastFault = { message, atMillis: clock.nowMillis() };
        if (consequence === "unasked") return;
        onFailure?.(resolved.name, consequence);
        if (kept.failing) return;
        kept.failing = true;
        onTurn?.(statusOf(kept), message);
      },
      onAnswer() {
        if (!kept.failing) return;
        kept.failing = false;
        onTurn?.(statusOf(kept), undefined);
      },
    });
    const kept: Kept = {
      resolved,
      transport,
      inFlight: 0,
      retired: false,
      lastFault: undefined,
      failing: false,
      provider: {
        ...provider,
        async ask(question, remainingMillis) {
          kept.inFlight++;
          if (kept.retired) leaving.add(kept);
          try {
            return await provider.ask(question, remainingMillis);
          } finally {
            kept.inFlight--;
            closeIfLeft(kept);
          }
        },
      },
    };
    return kept;
  }

  function closeIfLeft(kept: Kept): void {
    if (!kept.retired || kept.inFlight > 0) return;
    leaving.delete(kept);
    kept.transport.close();
  }

  return {
    providersOf(ruleSet) {
      const next = new Map<string, Kept>();
      const byName = new Map<string, ProviderResolution>(resolveProviders(ruleSet));
      for (const resolution of byName.values()) {
        if (!resolution.ok) continue;
        const key = JSON.stringify(resolution);
        next.set(key, current.get(key) ?? keep(resolution));
      }
      const before = current;
      current = next;
      for (const [key, kept] of before) {
        if (next.has(key)) continue;
        kept.retired = true;
        if (kept.inFlight > 0) leaving.add(kept);
        closeIfLeft(kept);
      }
      return customProviders(byName, new Map([...next.values()].map((kept) => [kept.provider.name, kept.provider])));
    },
    status() {
      return [...current.values(), ...leaving].map(statusOf);
    },
    async stop() {
      for (const kept of [...current.values(), ...leaving]) {
        kept.retired = true;
        kept.transport.close();
      }
      current = new Map();
      leaving.clear();
    },
  };
}

function statusOf({ resolved, lastFault, failing }: Kept): ProviderStatus {
  return {
    name: resolved.name,
    target: describeTarget(resolved),
    lastFault,
    failing,
    failOpen: resolved.options.failOpen,
  };
}

function customProviders(
  byName: ReadonlyMap<string, ProviderResolution>,
  providers: ReadonlyMap<string, CustomProvider>,
): CustomProviders {
  return {
    find: (name) => providers.get(name),
    why(name) {
      const resolution = byName.get(name);
      if (resolution === undefined) return `provider \`${name}\` is not defined`;
      return resolution.ok ? `provider \`${name}\` can be asked` : `provider \`${name}\`: ${resolution.why}`;
    },
  };
}

function createTransport(resolved: ResolvedProvider, clock: Clock, authorities: Buffer | undefined): Transport {
  const { target, options } = resolved;
  const tools = { target, authorities, nowMillis: () => clock.monotonicMillis() };
  return options.http === undefined
    ? createGrpcTransport({ ...tools, bodyAsBytes: options.body?.asBytes ?? false })
    : createHttpTransport({ ...tools, options: options.http });
}

/** `grpc://host:port` with the addresses that are dialled. */
function describeTarget({ kind, target, options }: ResolvedProvider): string {
  const addresses = target.endpoints.map(endpointText);
  const scheme = kind === "http" ? (target.tls ? "https" : "http") : target.tls ? "grpcs" : "grpc";
  return `${scheme}://${target.host}:${options.port} (${addresses.join(", ") || target.fault})`;
}
