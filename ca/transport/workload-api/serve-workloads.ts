import type { ServedIdentity } from "#ca/agent/contract";
import { phaseOf } from "#ca/agent/renewal";
import type { TrustBundle } from "#ca/authorities/contract";
import { bundleVersion } from "#ca/bundle/build-bundle";
import { grpcCodes } from "#platform/grpc/codes";
import type { GrpcMethods, GrpcStatus, StreamCall, StreamMethod, UnaryMethod } from "#platform/grpc/contract";
import { encodeX509Bundles, encodeX509Svid } from "./messages.ts";

/** One open stream of the Workload API. */
export interface WorkloadStream {
  readonly id: number;
  readonly method: "FetchX509SVID" | "FetchX509Bundles";
  readonly sinceMillis: number;
  /** `bundleVersion` of what it was sent last. */
  readonly bundleVersion: string | undefined;
}

export interface WorkloadApi extends GrpcMethods {
  open(): readonly WorkloadStream[];
}

export interface WorkloadApiParts {
  readonly served: ServedIdentity;
  readonly nowMillis: () => number;
  /** A stream was sent something, was begun or ended. */
  readonly onChange: () => void;
}

/** Methods are in no package (SPIFFE Workload API §3). */
const service = "/SpiffeWorkloadAPI";
const notOffered = "JWT-SVIDs and WIT-SVIDs are not offered";

/**
 * The SPIFFE Workload API of one identity: whoever can open the socket has it. Each message is the complete state, the first comes at once, others at each change; a slow reader gets
 * the newest. INVALID_ARGUMENT without the header of §4, PERMISSION_DENIED while no registration gives the identity, UNAVAILABLE until a certificate was issued and after it has ended.
 */
export function createWorkloadApi({ served, nowMillis, onChange }: WorkloadApiParts): WorkloadApi {
  let begun = 0;
  const streams = new Set<{ -readonly [K in keyof WorkloadStream]: WorkloadStream[K] }>();

  const svid = (bundle: TrustBundle): Uint8Array | undefined => {
    const certificate = served.certificate();
    if (certificate === undefined || phaseOf(certificate, nowMillis()) === "ended") return undefined;
    return encodeX509Svid(served.spiffeId.toString(), certificate, bundle);
  };

  const fetching =
    (method: WorkloadStream["method"], encode: (bundle: TrustBundle) => Uint8Array | undefined): StreamMethod =>
    (call) => {
      const fault = headerFault(call.headers);
      if (fault !== undefined) call.end(fault);
      let unsubscribe: (() => void) | undefined;
      let sent: Uint8Array | undefined;
      let isFull = false;
      begun++;
      const stream = { id: begun, method, sinceMillis: nowMillis(), bundleVersion: undefined as string | undefined };
      const push = () => {
        if (isFull) return;
        const bundle = served.bundle();
        const message = bundle && encode(bundle);
        // What is withdrawn for a while stays with whoever has it: a stream is not ended for an outage.
        if (bundle === undefined || message === undefined) return;
        stream.bundleVersion = bundleVersion(bundle);
        if (sent === undefined || Buffer.compare(sent, message) !== 0) {
          sent = message;
          isFull = !call.send(message);
        }
        onChange();
      };
      return {
        message() {
          if (unsubscribe !== undefined) return;
          const bundle = served.bundle();
          if (bundle === undefined || encode(bundle) === undefined) {
            call.end(refusal());
            return;
          }
          streams.add(stream);
          unsubscribe = served.subscribe(push);
          push();
        },
        finished() {
          if (unsubscribe === undefined) call.end({ code: grpcCodes.invalidArgument, message: "there is no message" });
        },
        drained() {
          isFull = false;
          push();
        },
        closed() {
          unsubscribe?.();
          if (streams.delete(stream)) onChange();
        },
      };
    };

  const refusal = (): GrpcStatus =>
    served.isUnregistered()
      ? { code: grpcCodes.permissionDenied, message: "no identity issued: no registration gives it" }
      : { code: grpcCodes.unavailable, message: "no certificate is held now" };

  return {
    unary: new Map(["FetchJWTSVID", "ValidateJWTSVID"].map((name) => [`${service}/${name}`, unaryNotOffered])),
    streams: new Map([
      [`${service}/FetchX509SVID`, fetching("FetchX509SVID", svid)],
      [`${service}/FetchX509Bundles`, fetching("FetchX509Bundles", encodeX509Bundles)],
      ...["FetchJWTBundles", "FetchWITSVID", "FetchWITBundles"].map(
        (name) => [`${service}/${name}`, streamNotOffered] as const,
      ),
    ]),
    open: () => [...streams],
  };
}

/** Against requests that a workload was tricked into sending (§4): lower case, exactly this value, once. */
function headerFault(headers: StreamCall["headers"]): (GrpcStatus & { readonly ok: false }) | undefined {
  const values = headers("workload.spiffe.io");
  if (values.length === 1 && values[0] === "true") return undefined;
  const message = "the header `workload.spiffe.io: true` is missing";
  return { ok: false, code: grpcCodes.invalidArgument, message };
}

const unaryNotOffered: UnaryMethod = ({ headers }) =>
  headerFault(headers) ?? { ok: false, code: grpcCodes.unimplemented, message: notOffered };

const streamNotOffered: StreamMethod = (call) => {
  call.end(headerFault(call.headers) ?? { code: grpcCodes.unimplemented, message: notOffered });
  return { message() {}, finished() {}, drained() {}, closed() {} };
};
