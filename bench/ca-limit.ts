import { execFile } from "node:child_process";
import { promisify } from "node:util";

/** Processor time of the signatures that no certificate can do without, as OpenSSL's own program has it on this machine at this moment; microseconds. */
export interface SignatureCosts {
  readonly p256SignMicros: number;
  readonly p256VerifyMicros: number;
  readonly rsa2048SignMicros: number;
}

/** The key that issues. */
export type IssuerKind = "P-256" | "RSA-2048";

/** Runs `openssl speed` for a second for each of four operations; it counts processor time, not time. Throws where there is no `openssl`. */
export async function signatureCosts(): Promise<SignatureCosts> {
  const { stdout } = await promisify(execFile)("openssl", ["speed", "-seconds", "1", "-mr", "ecdsap256", "rsa2048"]);
  // One line for each algorithm: its number, the size of the key, how often a second it signs, and verifies.
  const [, rsaSign] = ratesOf(stdout, /^\+F2:\d+:2048:([\d.]+):([\d.]+)$/m);
  const [, ecSign, ecVerify] = ratesOf(stdout, /^\+F4:\d+:256:([\d.]+):([\d.]+)$/m);
  return { p256SignMicros: 1e6 / ecSign!, p256VerifyMicros: 1e6 / ecVerify!, rsa2048SignMicros: 1e6 / rsaSign! };
}

function ratesOf(output: string, line: RegExp): readonly number[] {
  const found = line.exec(output);
  if (found === null) throw new Error(`openssl speed says something else than was expected:\n${output}`);
  return found.map(Number);
}

/** The least that a certificate for a P-256 request can cost: its proof verified, and signed. */
export function limitMicros(costs: SignatureCosts, issuer: IssuerKind): number {
  return costs.p256VerifyMicros + (issuer === "P-256" ? costs.p256SignMicros : costs.rsa2048SignMicros);
}
