import type { ListenerSettings, Snapshot } from "#authz/check/contract";
import { judge, type Verdict } from "#authz/check/judge";
import { decodeCheckRequest } from "#authz/check/wire/decode-check-request";
import type { Explanation } from "#authz/engine/decision";
import type { CheckMessage } from "./check-message.ts";

/** Described requests are asked as by an Envoy that runs our filter snippet and verifies client certificates. */
const settings: ListenerSettings = {
  name: "described",
  protocol: "grpc",
  peerIdentity: "verified",
  proxyProtocol: false,
  workload: undefined,
  destination: undefined,
  pathPrefix: "",
  attributeHeaders: false,
  secret: undefined,
  explainToClient: false,
  deadlineMillis: 5_000,
  maxMessageBytes: 16 * 1024 * 1024,
};

export type Asked =
  | {
      readonly ok: true;
      readonly verdict: Verdict;
      /** The linear walk of the same request; undefined when it was refused before policies were looked at. */
      readonly explain: () => Explanation | undefined;
    }
  | { readonly ok: false; readonly fault: string };

/** Decides a check by the same stages that a listener runs, without a wire. */
export function ask({ message, metadata }: CheckMessage, snapshot: Snapshot): Asked {
  const decoded = decodeCheckRequest(message);
  if (!decoded.ok) return { ok: false, fault: decoded.fault };
  const { engine } = snapshot;
  const verdict = judge({ request: decoded.request, metadata, listener: settings, door: "grpc" }, snapshot);
  const { workload, attributes } = verdict;
  const explain = () =>
    workload === undefined || attributes === undefined ? undefined : engine.explain(engine.view(workload), attributes);
  return { ok: true, verdict, explain };
}
