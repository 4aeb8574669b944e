import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { createIssuing } from "#ca/authorities/create-issuing";
import { createRoot } from "#ca/authorities/create-root";
import { generateKey } from "#ca/authorities/generate-key";
import { importAuthority } from "#ca/authorities/import-authority";
import { createIssuingAuthority } from "#ca/authorities/issuing-authority";
import type { AuthorityMaterial } from "#ca/authorities/read-authority-files";
import { selfTest } from "#ca/authorities/self-test";
import { parsePemBundle } from "#ca/bundle/parse-pem-bundle";
import { writePem } from "#ca/x509/pem";
import { CodedError } from "#platform/coded-error";
import { Random, testSeed } from "#test/support/random";

const rounds = process.env["GARITA_LONG"] === "1" ? 100_000 : 3_000;
const day = 24 * 3_600_000;
const base = { trustDomain: "example.org", nowMillis: Date.UTC(2030, 0, 1), random: randomBytes };

/** One to three bytes replaced, or the end cut off, or bytes added. */
function changed(bytes: Uint8Array, random: Random): Uint8Array {
  const copy = Uint8Array.from(bytes);
  const kind = random.below(8);
  if (kind === 0) return copy.subarray(0, random.below(copy.length));
  if (kind === 1) return Uint8Array.from([...copy, random.below(256)]);
  for (let i = random.below(3); i >= 0; i--) copy[random.below(copy.length)] = random.below(256);
  return copy;
}

test("changed certificates and keys of an authority are refused in words, or are still an authority", async () => {
  const random = new Random(testSeed("import"));
  const root = await createRoot({ ...base, keyKind: "P-256", generation: 1, lifetimeMillis: 3650 * day });
  const created = await createIssuing({ ...base, keyKind: "P-256", lifetimeMillis: 90 * day, root });
  const rsa = await generateKey("RSA-2048");
  const certificate = created.authority.certificate.der;
  const keys = [
    ["PRIVATE KEY", created.privateKey.export({ type: "pkcs8", format: "der" })],
    ["EC PRIVATE KEY", created.privateKey.export({ type: "sec1", format: "der" })],
    ["RSA PRIVATE KEY", rsa.privateKey.export({ type: "pkcs1", format: "der" })],
  ] as const;
  const good = writePem("PRIVATE KEY", keys[0][1]);
  const anchor = root.authority.certificate.der;
  const pem = (der: Uint8Array) => (der.length === 0 ? "" : writePem("CERTIFICATE", der));
  let taken = 0;
  for (let round = 0; round < rounds; round++) {
    const [label, keyDer] = random.pick(keys);
    const what = random.below(3);
    const own = what === 0 ? changed(certificate, random) : certificate;
    const roots = what === 1 ? changed(anchor, random) : anchor;
    const key = what === 2 ? writePem(label, changed(keyDer, random)) : good;
    const material: AuthorityMaterial = {
      certificate: { name: "ca-cert.pem", text: pem(own) },
      key: { name: "ca-key.pem", text: key },
      chain: { name: "cert-chain.pem", text: pem(own) },
      roots: { name: "root-cert.pem", text: pem(roots) },
    };
    parsePemBundle(material.certificate.text + material.roots.text);
    try {
      const { path, privateKey } = importAuthority(material, base.nowMillis);
      taken++;
      const authority = createIssuingAuthority(path, privateKey);
      assert.deepEqual(await selfTest({ ...base, authority, path }), { ok: true });
    } catch (fault) {
      assert.ok(fault instanceof CodedError && /^ca-import\//.test(fault.code), `round ${round}: ${String(fault)}`);
    }
  }
  // Bits of a key that say nothing (versions, a public half that is counted anew) may fall over.
  assert.ok(taken < rounds / 20, `${taken} of ${rounds} were taken`);
});
