import type { Clock } from "#platform/clock";
import { grpcCodes } from "#platform/grpc/codes";
import type { UnaryAnswer, UnaryMethod } from "#platform/grpc/contract";
import type { CallerOf, ResourceType, StreamRefusal } from "../contract.ts";
import { decodeStateRequest } from "../messages/decode-request.ts";
import { encodeStateAnswer } from "../messages/encode-response.ts";
import { StateOfTheWorld } from "./state-of-the-world.ts";

export interface FetchParts<C> {
  readonly type: ResourceType<C>;
  readonly callerOf: CallerOf<C>;
  readonly clock: Clock;
}

/** Answers a DiscoveryRequest with what there is now: the first response of a stream, all resources in it. NOT_FOUND: of what was asked for there is nothing. */
export function createFetch<C>({ type, callerOf, clock }: FetchParts<C>): UnaryMethod {
  return async (call) => {
    const identified = await callerOf(call);
    if ("code" in identified) return refused(identified);
    const request = decodeStateRequest(call.message);
    if (request === undefined)
      return refused({ code: grpcCodes.invalidArgument, message: "the message is no discovery request" });
    if (request.typeUrl !== "" && request.typeUrl !== type.typeUrl)
      return refused({ code: grpcCodes.invalidArgument, message: `\`type_url\` is not ${type.typeUrl}` });
    const view = type.open(identified.caller);
    if ("code" in view) return refused(view);
    const ended = view.ended();
    if (ended !== undefined) return refused(ended);
    const subscription = new StateOfTheWorld({ view, separate: false, nonces, quota });
    const { refusal } = subscription.take(request, clock.nowMillis());
    if (refusal !== undefined) return refused(refusal);
    const answer = subscription.next();
    if (answer === undefined) return refused({ code: grpcCodes.notFound, message: "there is no such resource" });
    return { ok: true, message: encodeStateAnswer(type.typeUrl, answer) };
  };
}

/** A response that nothing follows. */
const nonces = { next: () => ({ nonce: "", number: 1 }) };

/** Nothing is kept: the message's own limit is enough. */
const quota = { take: () => true, giveBack: () => undefined };

function refused({ code, message }: StreamRefusal): UnaryAnswer {
  return { ok: false, code, message };
}
