import type { AuthenticateCaller, Caller, CallerAttempt, Credentials } from "./contract.ts";
import { isJoinToken } from "./join-token-text.ts";
import { type MethodAnswer, unavailable } from "./method.ts";

/** The ways to prove oneself. Each may reject where there is a defect of ours, and only then. */
export interface CallerMethods {
  /** See `createClientCertificateMethod`. */
  readonly clientCertificate: (chain: readonly Uint8Array[], nowMillis: number) => Promise<MethodAnswer>;
  /** See `createEndedCertificateMethod`. */
  readonly endedCertificate: (chain: readonly Uint8Array[], nowMillis: number) => Promise<MethodAnswer | undefined>;
  /** See `createTokenMethod`. */
  readonly token: (token: string, nowMillis: number) => Promise<MethodAnswer>;
  /** See `createJoinTokenMethod`. */
  readonly joinToken: (token: string, remoteAddress: string | undefined, nowMillis: number) => Promise<MethodAnswer>;
  /** Told of whatever a method throws, for the log. Must not throw. The caller is unavailable then. */
  readonly onDefect: (defect: unknown) => void;
}

interface Attempt {
  readonly method: Caller["method"];
  /** Undefined: what was brought is no such credential. */
  readonly run: () => Promise<MethodAnswer | undefined>;
}

/**
 * Who asks: the first credential that is good decides, in the order of client certificate, bearer token, operator's socket, client certificate that has ended; one that is refused does not
 * keep the next from being tried. A bearer token is a join token where it begins as one, else of an issuer. Where none is good and one could not be looked at
 * now, the answer is `unavailable`. Never rejects.
 */
export function createAuthenticateCaller(methods: CallerMethods): AuthenticateCaller {
  const answerOf = async (attempt: Attempt): Promise<MethodAnswer | undefined> => {
    try {
      return await attempt.run();
    } catch (defect) {
      methods.onDefect(defect);
      return unavailable("a defect of ours: see the log");
    }
  };
  return async (credentials, nowMillis) => {
    const attempts: CallerAttempt[] = [];
    let kind: "none" | "refused" | "unavailable" = "none";
    for (const attempt of attemptsOf(methods, credentials, nowMillis)) {
      const answer = await answerOf(attempt);
      if (answer === undefined) continue;
      if (answer.ok) return { ok: true, caller: answer.caller, attempts };
      attempts.push({ method: attempt.method, reason: answer.reason });
      if (kind !== "unavailable") kind = answer.kind;
    }
    return { ok: false, kind, attempts };
  };
}

/** ORDER: what proves most comes first. */
function attemptsOf(
  { clientCertificate, endedCertificate, token, joinToken }: CallerMethods,
  { clientCertificates, bearer, operatorSocket, remoteAddress }: Credentials,
  nowMillis: number,
): readonly Attempt[] {
  const attempts: Attempt[] = [];
  if (clientCertificates.length > 0) {
    attempts.push({ method: "x509-svid", run: () => clientCertificate(clientCertificates, nowMillis) });
  }
  if (bearer !== undefined) {
    attempts.push(
      isJoinToken(bearer)
        ? { method: "join-token", run: () => joinToken(bearer, remoteAddress, nowMillis) }
        : { method: "jwt", run: () => token(bearer, nowMillis) },
    );
  }
  if (operatorSocket) {
    attempts.push({ method: "operator", run: async () => ({ ok: true, caller: { method: "operator" } }) });
  }
  if (clientCertificates.length > 0) {
    attempts.push({ method: "ended-x509-svid", run: () => endedCertificate(clientCertificates, nowMillis) });
  }
  return attempts;
}
