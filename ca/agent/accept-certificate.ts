import type { KeyPair } from "#ca/authorities/generate-key";
import { sameBytes } from "#ca/x509/bytes";
import type { Certificate } from "#ca/x509/contract";
import { readPemBlocks } from "#ca/x509/pem";
import { readCertificate } from "#ca/x509/read-certificate";
import { svidFaults } from "#ca/x509/svid-faults";
import { quote } from "#identity/encoding/quote";
import type { SpiffeId } from "#identity/spiffe-id";
import { CodedError } from "#platform/coded-error";
import type { HeldCertificate } from "./contract.ts";
import { verifyHeld } from "./is-vouched-for.ts";

const limits = { sizeCharacters: 256 * 1024, blocks: 8 };

/** What an answer is judged by. */
export interface Expected {
  readonly spiffeId: SpiffeId;
  readonly key: KeyPair;
  readonly anchors: readonly Certificate[];
  readonly nowMillis: number;
}

/**
 * The certificate of an answer (PEM, leaf first, without the roots), when it is what was asked for: of this key and this identity, and an X509-SVID that the anchors
 * vouch for. Fails with `agent/answer`. Where this machine's clock is behind, a leaf that was made for this very request has not begun: it is verified as of its beginning. One that has ended is
 * refused.
 */
export function acceptCertificate(pem: string, expected: Expected): HeldCertificate {
  const { spiffeId, key, anchors, nowMillis } = expected;
  const chain = readChain(pem);
  const leaf = chain[0]!;
  if (!sameBytes(leaf.spkiDer, key.publicKey.spkiDer)) throw fault("its key is not the one that was asked for");
  const verified = verifyHeld(chain, spiffeId.trustDomain, anchors, Math.max(nowMillis, leaf.notBefore.millis));
  if (!verified.ok && verified.reason === "leaf-expired") throw fault("it has ended, by the clock of this machine");
  if (!verified.ok) throw fault(svidFaults[verified.reason]);
  if (verified.id.toString() !== spiffeId.toString())
    throw fault(`its identity is ${quote(verified.id.toString())}, not ${quote(spiffeId.toString())}`);
  return Object.freeze({ privateKey: key.privateKey, chain, receivedMillis: nowMillis });
}

/** The certificates of a PEM text. Fails with `agent/answer`. */
export function readChain(pem: string): readonly Certificate[] {
  const blocks = readPemBlocks(pem, "CERTIFICATE", limits);
  if (!blocks.ok) throw fault(blocks.fault.message);
  return blocks.value.map((der) => {
    const read = readCertificate(der);
    if (!read.ok) throw fault(read.fault.message);
    return read.value;
  });
}

function fault(why: string): CodedError {
  return new CodedError("agent/answer", `the authority's certificate is not taken: ${why}`);
}
