import type { CheckRecord, GrpcCheck, HttpCheck, ListenerSettings } from "#authz/check/contract";

/** A CheckResponse that allows: `status {}` and `ok_response {}`. */
export const allowBytes: Uint8Array = Uint8Array.from([0x0a, 0x00, 0x1a, 0x00]);

/** A record of an outcome, as a check would leave it. */
export function fakeRecord(listener: ListenerSettings, outcome: "allow" | "deny"): CheckRecord {
  return {
    id: "01FAKE",
    decision: {
      outcome,
      reason: outcome === "allow" ? "policy/allowed" : "policy/denied",
      rule: undefined,
      audit: undefined,
      dryRun: { deny: undefined, allow: undefined },
      conditionFaults: [],
      visited: 0,
    },
    status: outcome === "allow" ? 200 : 403,
    workload: undefined,
    attributes: undefined,
    listener: listener.name,
    digest: undefined,
    custom: undefined,
    requestLine: undefined,
    origin: undefined,
    lacking: 0,
    detail: undefined,
    failedOpen: undefined,
  };
}

/** Allows everything. */
export const allowingGrpc: GrpcCheck = (_message, _metadata, listener) => ({
  response: allowBytes,
  record: fakeRecord(listener, "allow"),
});

/** Allows everything, and tells in its body what it was asked. */
export const tellingHttp: HttpCheck = (request, listener) => {
  const body = JSON.stringify({ ...request, body: request.body === undefined ? undefined : [...request.body] });
  return { response: { status: 200, headers: [["x-seen", "1"]], body }, record: fakeRecord(listener, "allow") };
};
