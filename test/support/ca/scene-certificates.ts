import { generateKeyPairSync } from "node:crypto";
import type { AuthorityMaterial } from "#ca/authorities/read-authority-files";
import { writePem } from "#ca/x509/pem";
import type { CertificateParts } from "./certificate-parts.ts";
import { extensions, uriName } from "./certificate-parts.ts";
import { type KeyRole, type Made, makeCertificate, type TestKey } from "./chain-certificates.ts";
import * as d from "./der-builder.ts";
import { sceneDomain } from "./scene.ts";

/** An authority of which a test holds all keys: it can make certificates that no authority of ours makes. */
export interface OpenAuthority {
  readonly root: Made;
  readonly issuing: Made;
  /** For `SceneChanges.imported`. */
  readonly material: AuthorityMaterial;
  /** DER: a leaf with these changes, and the issuing authority. Undefined changes: a good certificate of `uri`. */
  chainOf(uri: string, changes?: Partial<CertificateParts>): readonly Uint8Array[];
}

const day = 24 * 3_600_000;

/** New keys each time. Valid from two days ago for ninety days. */
export function makeOpenAuthority(trustDomain: string = sceneDomain, kind: "P-256" | "P-384" = "P-256"): OpenAuthority {
  const keys = new Map<KeyRole, TestKey>();
  const key = (role: KeyRole): TestKey => {
    const known = keys.get(role);
    if (known !== undefined) return known;
    const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: kind });
    const made = { kind, privateKey, spki: new Uint8Array(publicKey.export({ type: "spki", format: "der" })) };
    keys.set(role, made);
    return made;
  };
  const nowMillis = Date.now();
  const at = (days: number) => d.time(Math.floor((nowMillis + days * day) / 1000) * 1000);
  const named = (commonName: string) => ({
    subject: d.distinguishedName([d.organization, d.utf8(trustDomain)], [d.commonName, d.utf8(commonName)]),
    subjectAltName: [extensions.subjectAltName([uriName(`spiffe://${trustDomain}`)], undefined)],
  });
  const rootNames = named("root of the tests");
  const root = makeCertificate({
    profile: "root",
    key: key("root"),
    issuer: undefined,
    nowMillis,
    changes: { ...rootNames, issuer: rootNames.subject, notBefore: at(-2), notAfter: at(100) },
  });
  const issuing = makeCertificate({
    profile: "issuing",
    key: key("issuing"),
    issuer: root,
    nowMillis,
    changes: { ...named("issuer of the tests"), notBefore: at(-1), notAfter: at(90) },
  });
  const pem = (made: Made) => writePem("CERTIFICATE", made.der);
  return {
    root,
    issuing,
    material: {
      certificate: { name: "ca-cert.pem", text: pem(issuing) },
      key: { name: "ca-key.pem", text: issuing.key.privateKey.export({ type: "pkcs8", format: "pem" }).toString() },
      chain: undefined,
      roots: { name: "root-cert.pem", text: pem(root) },
    },
    chainOf(uri, changes = {}) {
      const names = { subjectAltName: [extensions.subjectAltName([uriName(uri)], true)] };
      const leaf = makeCertificate({
        profile: "leaf",
        key: key("leaf"),
        issuer: issuing,
        nowMillis,
        changes: { ...names, ...changes },
      });
      return [leaf.der, issuing.der];
    },
  };
}
