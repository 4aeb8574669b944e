import { messageOf } from "#platform/coded-error";
import type { ResolvedProvider } from "#policy-compiler/ruleset/providers/resolve";
import { askedBody } from "./asked-body.ts";
import type { CustomProvider, ProviderOutcome } from "./contract.ts";
import { ProviderFault, UnaskableRequest } from "./provider-fault.ts";
import type { Answer, Asked, Transport } from "./transport.ts";

/** What became of the request; `unasked`: it could not be put to the provider, which has not failed. */
export type FaultConsequence = "failed_open" | "refused" | "unasked";

export interface ProviderParts {
  readonly provider: ResolvedProvider;
  readonly transport: Transport;
  /** Told of every question that got no answer that counts. */
  readonly onFault: (message: string, consequence: FaultConsequence) => void;
  /** Told of every question that was answered. */
  readonly onAnswer: () => void;
}

/** What is left of the caller's time for the way back: a tenth, between 5 and 100 ms. */
const MARGIN_SHARE = 0.1;
const MIN_MARGIN_MILLIS = 5;
const MAX_MARGIN_MILLIS = 100;

/** Envoy's own answer to a request that it cannot write to an upstream. */
const UNWRITABLE_STATUS = 503;

/** A provider that can be asked: body and time first, then the wire, then what its options make of a failure. */
export function createProvider({ provider, transport, onFault, onAnswer }: ProviderParts): CustomProvider {
  const { name, kind, options, target } = provider;

  function failed(detail: string): ProviderOutcome {
    onFault(detail, options.failOpen ? "failed_open" : "refused");
    if (options.failOpen) return { kind: "allowed", request: undefined, responseHeaders: [], failedOpen: detail };
    return { kind: "failed", status: options.statusOnError, detail };
  }

  /** Never opened by `failOpen`: the provider has not failed, and what a client sends must not open a door. */
  function unasked(detail: string): ProviderOutcome {
    onFault(detail, "unasked");
    return { kind: "failed", status: options.statusOnError, detail };
  }

  /** `error_response`: like a failure, but the provider words the answer. */
  function errorAnswered({ status, headers, body }: Answer & { readonly kind: "error" }): ProviderOutcome {
    const detail = "the provider answered with an error";
    if (options.failOpen) return failed(detail);
    onFault(detail, "refused");
    return { kind: "denied", status: status ?? options.statusOnError, headers, body };
  }

  /** Never opened by `failOpen`: Envoy would not pass such a request on. */
  function malformed(fault: string): ProviderOutcome {
    const detail = `the provider sets ${fault}`;
    onFault(detail, "refused");
    return { kind: "failed", status: UNWRITABLE_STATUS, detail };
  }

  async function askWithin(asked: Asked, budgetMillis: number): Promise<ProviderOutcome> {
    const answer = await transport.ask(asked, budgetMillis);
    switch (answer.kind) {
      case "allowed":
      case "denied":
        onAnswer();
        return answer;
      case "error":
        return errorAnswered(answer);
      case "malformed":
        return malformed(answer.fault);
      default:
        return answer satisfies never;
    }
  }

  return {
    name,
    kind,
    wantsBody: options.body !== undefined,
    async ask(question, remainingMillis) {
      const body = question.http === undefined ? ({ kind: "none" } as const) : askedBody(question.http, options.body);
      if (body.kind === "tooLarge") return { kind: "bodyTooLarge" };
      if (body.kind === "unsent")
        return unasked(
          "the provider wants the body, which the asking Envoy was not told to send (`with_request_body`)",
        );
      if (target.fault !== undefined) return failed(target.fault);
      const budgetMillis = Math.min(
        options.timeoutMillis ?? Number.POSITIVE_INFINITY,
        remainingMillis - margin(remainingMillis),
      );
      if (!(budgetMillis > 0)) return failed("no time was left to ask");
      try {
        return await askWithin({ question, body }, budgetMillis);
      } catch (thrown) {
        if (thrown instanceof ProviderFault) return failed(thrown.message);
        if (thrown instanceof UnaskableRequest) return unasked(thrown.message);
        return unasked(`internal fault: ${messageOf(thrown)}`);
      }
    },
  };
}

function margin(remainingMillis: number): number {
  return Math.min(Math.max(remainingMillis * MARGIN_SHARE, MIN_MARGIN_MILLIS), MAX_MARGIN_MILLIS);
}
