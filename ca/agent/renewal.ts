import type { HeldCertificate } from "./contract.ts";

/** Istio's: half of what is left of a certificate when it comes, give or take one part in a hundred. */
const renewalRatio = 0.5;
const renewalJitter = 0.01;
/** So much earlier than a certificate came it cannot be by an honest clock; what is less is the correction of a time service. */
const setBackMillis = 5 * 60_000;

/**
 * When a certificate is renewed, by the wall clock. Measured from when it came, for it may begin long before (`ca.leaf.backdateSeconds`) and would be due at once then; kept
 * within its lifetime. The jitter is taken from the leaf's signature, so that it is the same after a restart, and another for each certificate.
 */
export function renewAtMillis({ chain, receivedMillis }: HeldCertificate): number {
  const { notBefore, notAfter, signature } = chain[0]!;
  const begin = Math.min(Math.max(receivedMillis, notBefore.millis), notAfter.millis);
  const bytes = Buffer.from(signature.buffer, signature.byteOffset, signature.byteLength);
  const chance = bytes.readUInt32BE(bytes.length - 4) / 2 ** 32;
  const ratio = renewalRatio + renewalJitter * (2 * chance - 1);
  return begin + (notAfter.millis - begin) * ratio;
}

/** Where a certificate stands at a time. */
export type CertificatePhase = "not-begun" | "valid" | "ended";

export function phaseOf({ chain }: HeldCertificate, nowMillis: number): CertificatePhase {
  const { notBefore, notAfter } = chain[0]!;
  if (nowMillis < notBefore.millis) return "not-begun";
  return nowMillis > notAfter.millis ? "ended" : "valid";
}

/**
 * When the authority is to be asked for the next certificate, by the wall clock; a past time: now. A clock that is well before the moment when the certificate came
 * was set back, so that nothing can be told of how old it is.
 */
export function dueAtMillis(held: HeldCertificate | undefined, nowMillis: number): number {
  if (held === undefined || nowMillis < held.receivedMillis - setBackMillis) return nowMillis;
  return renewAtMillis(held);
}
