import { generateKeyPairSync, type KeyObject } from "node:crypto";
import { buildCsr } from "#ca/csr/build-csr";
import { writePem } from "#ca/x509/pem";

/** A workload's new key, and the request that its agent makes of it. */
export interface AgentRequest {
  readonly privateKey: KeyObject;
  readonly csrPem: string;
}

/** So many requests for this identity, each of a P-256 key of its own, as agents make a new one for every renewal. */
export function freshRequests(count: number, uri: string): readonly AgentRequest[] {
  return Array.from({ length: count }, () => {
    const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    return { privateKey, csrPem: writePem("CERTIFICATE REQUEST", buildCsr(privateKey, uri)) };
  });
}

/** The DER of each element of an answer's chain but the last, which is the roots: what a client presents. */
export function presentedChain(chain: readonly string[]): readonly Uint8Array[] {
  return chain.slice(0, -1).map((pem) => Buffer.from(pem.replace(/-----[^\n]*\n/g, ""), "base64"));
}
