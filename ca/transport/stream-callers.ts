import type { Credentials } from "#ca/callers/contract";
import type { MethodAnswer } from "#ca/callers/method";
import { readCertificate } from "#ca/x509/read-certificate";
import type { SpiffeId } from "#identity/spiffe-id";
import type { DoorConnection } from "#platform/door/connections";
import { createLineGate } from "#platform/door/line-gate";
import { grpcCodes } from "#platform/grpc/codes";
import type { Log } from "#platform/log";
import type { StreamRefusal } from "#xds/contract";

/** Who opened a stream: proven by the certificate of its connection, and by nothing else. */
export interface StreamCaller {
  readonly id: SpiffeId;
  /** SHA-256 of the certificate, hex. */
  readonly fingerprint: string;
  readonly serialHex: string;
  /** When the certificate ends. */
  readonly notAfterMillis: number;
  /** What of the connection it can ask for certificates with; no bearer token. */
  readonly credentials: Credentials;
}

export interface StreamCallersParts {
  /** See `createClientCertificateMethod`. */
  readonly clientCertificate: (chain: readonly Uint8Array[], nowMillis: number) => Promise<MethodAnswer>;
  readonly revoked: {
    isRevoked(
      leaf: Pick<StreamCaller, "fingerprint" | "serialHex"> & { readonly spiffeId: string },
    ): string | undefined;
    subscribe(changed: () => void): () => void;
  };
  readonly nowMillis: () => number;
  readonly log: Log;
}

export interface StreamCallers {
  /** Without a certificate, as on a door of plain text, nobody is anybody. Rejects for defects alone. */
  authenticate(connection: DoorConnection): Promise<StreamCaller | StreamRefusal>;
  /** Why the caller is none any more: its certificate has ended (UNAUTHENTICATED), or certificate or identity is revoked (PERMISSION_DENIED). Undefined: it is. */
  ended(caller: StreamCaller): StreamRefusal | undefined;
  /** `changed` is called after anything was revoked; the end of a certificate tells nobody. Returns how to stop that. */
  subscribe(changed: () => void): () => void;
}

/** Of streams that are refused: strangers cause them. */
const linesPerSecond = 10;

/** Callers whose calls last: what was proven when a stream was opened is looked at for as long as it is open. */
export function createStreamCallers({ clientCertificate, revoked, nowMillis, log }: StreamCallersParts): StreamCallers {
  const gate = createLineGate(linesPerSecond);
  const refuse = (connection: DoorConnection, refusal: StreamRefusal, reason: string): StreamRefusal => {
    const told = gate.pass();
    if (told !== undefined)
      log.warn({ remote: connection.remoteAddress, reason, ...(told.leftOut > 0 && told) }, "stream refused");
    return refusal;
  };
  const ended = (caller: StreamCaller): StreamRefusal | undefined => {
    const { id, fingerprint, serialHex, notAfterMillis } = caller;
    if (revoked.isRevoked({ spiffeId: id.toString(), fingerprint, serialHex }) !== undefined) return revokedCaller;
    return nowMillis() > notAfterMillis ? endedCertificate : undefined;
  };
  return {
    async authenticate(connection) {
      const { clientCertificates, remoteAddress } = connection;
      const [leaf] = clientCertificates;
      if (leaf === undefined) return refuse(connection, noCertificate, "no client certificate");
      const answer = await clientCertificate(clientCertificates, nowMillis());
      if (!answer.ok)
        return refuse(connection, answer.kind === "unavailable" ? cannotTell : badCertificate, answer.reason);
      const read = readCertificate(leaf);
      if (answer.caller.method !== "x509-svid" || !read.ok)
        throw new Error("a client certificate proves a workload, or nobody");
      const { id, fingerprint, serialHex } = answer.caller;
      const caller: StreamCaller = {
        id,
        fingerprint,
        serialHex,
        notAfterMillis: read.value.notAfter.millis,
        credentials: { clientCertificates, bearer: undefined, operatorSocket: false, remoteAddress },
      };
      const refusal = ended(caller);
      return refusal === undefined ? caller : refuse(connection, refusal, refusal.message);
    },
    ended,
    subscribe: (changed) => revoked.subscribe(changed),
  };
}

const noCertificate: StreamRefusal = {
  code: grpcCodes.unauthenticated,
  message: "expected a client certificate of the trust domain, found none",
};
const badCertificate: StreamRefusal = {
  code: grpcCodes.unauthenticated,
  message: "the client certificate proves no workload of the trust domain",
};
const cannotTell: StreamRefusal = {
  code: grpcCodes.unavailable,
  message: "the client certificate cannot be looked at now",
};
const endedCertificate: StreamRefusal = {
  code: grpcCodes.unauthenticated,
  message: "the client certificate has ended: connect with a newer one",
};
const revokedCaller: StreamRefusal = {
  code: grpcCodes.permissionDenied,
  message: "the client certificate or its identity is revoked",
};
