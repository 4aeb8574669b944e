import { admit } from "./admit.ts";
import { carryOut, type Outcome, ownReply } from "./carry-out.ts";
import { type CheckCall, writeCheckCall } from "./check-call.ts";
import { readVerdict } from "./check-verdict.ts";
import { readHttp1 } from "./codec-http1.ts";
import { readHttp2 } from "./codec-http2.ts";
import { prepareRequest } from "./connection-manager.ts";
import { type Connection, type DownstreamRequest, isEdge, type Listener } from "./downstream.ts";
import { HeaderMap } from "./header-map.ts";

/** A request on its way: what to ask the authorization server, or the end of it without asking. */
export type Passage =
  | { readonly kind: "ended"; readonly outcome: Outcome }
  | {
      readonly kind: "asks";
      readonly call: CheckCall;
      /** The encoded CheckResponse in, what client and upstream see out. */
      finish(response: Uint8Array): Outcome;
    };

/**
 * Plays Envoy for one request: listener, codec, connection manager, then the ext_authz filter. `request` undefined: a
 * connection to a TCP port, whose outcome is `forwarded` or `closed`.
 */
export function passThrough(
  listener: Listener,
  connection: Connection,
  request: DownstreamRequest | undefined,
): Passage {
  const admitted = admit(listener, connection);
  if (admitted === undefined) return ended({ kind: "closed" });
  if (request === undefined) {
    return { kind: "asks", call: writeCheckCall(listener, connection, admitted, undefined), finish: finishConnection };
  }

  const https = admitted.tls || !isEdge(listener) || listener.numTrustedProxies > 0;
  const headers = request.protocol === "HTTP/2" ? readHttp2(request) : readHttp1(request, https);
  if (!(headers instanceof HeaderMap)) return ended(ownReply(headers, receivedAsSent(request)));
  const refusal = prepareRequest(headers, listener, connection, admitted);
  if (refusal !== undefined) return ended(ownReply(refusal, refusal.early ? receivedAsSent(request) : headers));
  return {
    kind: "asks",
    call: writeCheckCall(listener, connection, admitted, { headers, protocol: request.protocol, body: request.body }),
    finish: (response) => route(carryOut(readVerdict(response), headers, request.protocol), headers),
  };
}

/** Envoy's router finds no route for a request whose `x-forwarded-proto` is empty. */
function route(outcome: Outcome, headers: HeaderMap): Outcome {
  if (outcome.kind !== "forwarded" || headers.get("x-forwarded-proto") !== "") return outcome;
  return ownReply({ status: 404, body: "", details: "route_not_found" }, headers);
}

function finishConnection(response: Uint8Array): Outcome {
  if (readVerdict(response).kind !== "allow") return { kind: "closed" };
  return { kind: "forwarded", upstream: { path: "", set: [], removed: [] } };
}

/** Enough of an unreadable request to shape the reply to it. */
function receivedAsSent(request: DownstreamRequest): HeaderMap {
  const headers = new HeaderMap();
  headers.receive(":method", request.method);
  return headers;
}

function ended(outcome: Outcome): Passage {
  return { kind: "ended", outcome };
}
