import { encodeBase64Url } from "../encoding/base64url.ts";
import { utf8Text } from "../encoding/byte-string.ts";
import { quote } from "../encoding/quote.ts";
import type { Struct } from "../encoding/struct-json.ts";
import { rsaKeyOfCertificate } from "./certificate.ts";
import type { VerificationKey } from "./key-set.ts";
import type { KeySetRead } from "./read-key-set.ts";

const opening = "-----BEGIN CERTIFICATE-----\n";
const closing = "\n-----END CERTIFICATE-----\n";

/**
 * The keys of an object `{kid: PEM certificate}`, undefined when it is none. Envoy takes certificates of RSA keys alone, asks nothing of a
 * certificate but that it can be read, and refuses the whole set for one that cannot. Of several certificates in one member the first
 * counts. DIVERGENCE: members with text around the base64 lines are refused here where BoringSSL would look for the certificate in it.
 */
export function readCertificateMap(map: Struct): KeySetRead | undefined {
  const members = Object.entries(map);
  if (members.length === 0) return undefined;
  for (const [kid, pem] of members) {
    if (kid === "" || typeof pem !== "string" || !pem.startsWith(opening) || !pem.endsWith(closing)) return undefined;
  }
  const keys: VerificationKey[] = [];
  for (const [kid, pem] of members) {
    const key = rsaKeyOfCertificate(firstBlock(String(pem)));
    if (typeof key === "string") {
      return { ok: false, kind: "noUsableKey", fault: `${key} under ${quote(utf8Text(kid))}` };
    }
    const jwk = { n: encodeBase64Url(key.n), e: encodeBase64Url(key.e) };
    keys.push({ kty: "RSA", kid, alg: "", crv: undefined, jwk });
  }
  return { ok: true, keys };
}

/** The base64 between the first pair of marks; a text that is not longer than the marks has none. */
function firstBlock(pem: string): string {
  const end = pem.indexOf(closing, opening.length - 1);
  return pem.slice(opening.length, Math.max(opening.length, end));
}
