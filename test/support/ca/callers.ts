import type { Credentials } from "#ca/callers/contract";
import { parseSpiffeId, type SpiffeId } from "#identity/spiffe-id";

export const trustDomain = "example.org";

/** A SPIFFE ID of these tests, by its text. */
export function idOf(text: string): SpiffeId {
  const parsed = parseSpiffeId(text);
  if (!parsed.ok) throw new Error(`${text}: ${parsed.fault}`);
  return parsed.id;
}

/** What a client brings that brings nothing, with changes. */
export function credentialsOf(changes: Partial<Credentials> = {}): Credentials {
  return { clientCertificates: [], bearer: undefined, operatorSocket: false, remoteAddress: "192.0.2.7", ...changes };
}
