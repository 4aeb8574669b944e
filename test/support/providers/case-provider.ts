import { setTimeout as delay } from "node:timers/promises";
import { type CaseProviderAnswer, checkResponseOf } from "./case-answer.ts";
import { startGrpcProvider } from "./grpc-provider.ts";
import { httpResponse, startHttpProvider } from "./http-provider.ts";

/** A provider of a case on a loopback port. */
export interface CaseProvider {
  readonly port: number;
  /** How questions are answered from now on; `{}` allows. */
  answer(next: CaseProviderAnswer): void;
  /** How often it was asked since the last call of this. */
  calls(): number;
  stop(): Promise<void>;
}

const UNAVAILABLE = 14;

/** Starts a provider that answers as a case's `providers.<name>` says. */
export async function startCaseProvider(kind: "http" | "grpc"): Promise<CaseProvider> {
  let told: CaseProviderAnswer = {};
  const pause = () => (told.hang === undefined ? undefined : delay(told.hang * 1000, undefined, { ref: false }));
  if (kind === "http") {
    const provider = await startHttpProvider();
    provider.answer(async (socket, { requestLine }) => {
      await pause();
      if (told.reset) socket.destroy();
      else socket.write(httpResponse(told.status ?? 200, told.headers, told.body, requestLine.split(" ")[0]));
    });
    return {
      port: provider.port,
      answer(next) {
        told = next;
      },
      calls: () => provider.take().length,
      stop: provider.stop,
    };
  }
  const provider = await startGrpcProvider();
  provider.answer(async () => {
    const now = told;
    await pause();
    if (now.reset) return { rpcError: UNAVAILABLE };
    return now.rpcError === undefined ? checkResponseOf(now) : { rpcError: now.rpcError };
  });
  return {
    port: provider.port,
    answer(next) {
      told = next;
    },
    calls: () => provider.take().length,
    stop: provider.stop,
  };
}
