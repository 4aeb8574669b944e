import type { Authorities } from "#ca/authorities/authorities";
import { createClientCertificateMethod } from "#ca/callers/client-certificate";
import type { Credentials } from "#ca/callers/contract";
import { verifySvid } from "#ca/x509/verify-svid";
import { cpuTimes, spentNanos } from "./cpu.ts";

/** Processor time of proving a caller by its client certificate after the handshake, microseconds. */
export interface AuthenticationCost {
  /** Two signatures: of the certificate, and of the authority that issued it. */
  readonly unknownMicros: number;
  /** The same certificate within a minute. */
  readonly knownMicros: number;
}

/** Each of the credentials is a certificate of its own. */
export async function authenticationCost(
  authorities: Authorities,
  callers: readonly Credentials[],
): Promise<AuthenticationCost> {
  const bundle = () => authorities.current().bundle;
  const authenticate = createClientCertificateMethod({ verifySvid, bundle, isRevoked: () => undefined });
  const all = async (): Promise<number> => {
    const before = cpuTimes(process.pid);
    for (const { clientCertificates } of callers) {
      const answer = await authenticate(clientCertificates, Date.now());
      if (!answer.ok) throw new Error(answer.reason);
    }
    return spentNanos(before, cpuTimes(process.pid)) / 1000 / callers.length;
  };
  return { unknownMicros: await all(), knownMicros: await all() };
}
