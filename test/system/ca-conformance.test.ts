import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { after, before, type TestContext, test } from "node:test";
import { parseCsr } from "#ca/csr/parse-csr";
import type { KeyKind } from "#ca/x509/contract";
import { extensions } from "#test/support/ca/certificate-parts";
import { type ChainCase, tools } from "#test/support/ca/chains";
import * as d from "#test/support/ca/der-builder";
import { endScene, entry, openScene, operator, type Scene, sceneDomain } from "#test/support/ca/scene";
import { makeOpenAuthority } from "#test/support/ca/scene-certificates";
import { certificateOf, issueIn } from "#test/support/ca/scene-requests";
import { findValidators } from "#test/support/ca/validators";
import { findZlint } from "#test/support/ca/zlint";

const issuers: readonly KeyKind[] = ["P-256", "P-384", "RSA-2048"];
const roots: readonly KeyKind[] = ["P-256", "P-384", "RSA-2048"];

/** A chain that the whole authority made for a recorded request, or for its own doors. */
interface MadeChain extends ChainCase {
  readonly anchor: Uint8Array;
}

const corpus = new URL("../corpora/csr/", import.meta.url);
const made: MadeChain[] = [];
const scenes: Scene[] = [];

before(async () => {
  const files = (await readdir(corpus)).filter((file) => file.endsWith(".csr.pem")).sort();
  assert.ok(files.length >= 8);
  // Two of the requests have one key: an identity each.
  const requests = await Promise.all(
    files.map(async (file) => {
      const csrPem = await readFile(new URL(file, corpus), "utf8");
      const parsed = parseCsr(csrPem);
      assert.ok(parsed.ok);
      const { publicKey } = parsed.csr;
      return { file, csrPem, publicKey, id: `spiffe://${sceneDomain}/ns/fixtures/sa/${publicKey.hash.slice(0, 16)}` };
    }),
  );
  const ids = [...new Set(requests.map(({ id }) => id))];
  // Every other one has DNS names as well.
  const entries = ids.map((id, i) => entry(id, { dnsNames: i % 2 === 0 ? [] : ["a.hello.mesh", "b-2.hello.mesh"] }));
  for (const rootKeyKind of roots) {
    for (const issuingKeyKind of issuers) {
      const scene = await openScene({
        entries,
        rootKeyKind,
        issuingKeyKind,
        serverNames: ["localhost", "ca.hello.mesh", "127.0.0.1", "::1"],
      });
      scenes.push(scene);
      const anchor = scene.authority.service.bundle().anchors[0]!.der;
      const under = { bundles: { [sceneDomain]: [anchor] }, anchor, expected: "ok" as const };
      for (const { file, csrPem, publicKey, id } of requests) {
        const { chain, leaf } = await issueIn(scene, { csrPem, spiffeId: id, credentials: operator });
        assert.deepEqual(leaf.spkiDer, publicKey.spkiDer);
        made.push({ name: `${file} by ${issuingKeyKind} under ${rootKeyKind}`, chain, ...under });
      }
      const own = scene.authority.serverCertificate!.certPem.split(/(?<=-----END CERTIFICATE-----\n)/);
      const chain = own.map((pem) => certificateOf(pem).der);
      made.push({ name: `the authority's own by ${issuingKeyKind} under ${rootKeyKind}`, chain, ...under });
    }
  }
});
after(() => Promise.all(scenes.map(endScene)));

/** The pipeline installs all that is asked for here: there a missing one is a fault, not a reason to look away. */
function missing(t: TestContext, what: string): void {
  if (process.env["CI"] !== undefined) assert.fail(`${what} is not installed`);
  t.skip(`${what} is not installed`);
}

for (const tool of tools) {
  test(`${tool} takes every certificate for every recorded request, of every kind of issuer and root`, async (t) => {
    const validator = (await findValidators())[tool];
    if (validator === undefined) return missing(t, tool);
    const verdicts = await validator(made);
    assert.equal(verdicts.length, roots.length * issuers.length * 9);
    const refused = verdicts.flatMap(({ accepts, said }, i) => (accepts ? [] : [`${made[i]!.name}: ${said.trim()}`]));
    assert.deepEqual(refused, []);
  });
}

/** What zlint says by the rules of the public web, which are none of a mesh's: no lint of an RFC may be among them. */
const ofTheWeb: Readonly<Record<"leaf" | "issuing" | "root", readonly string[]>> = {
  leaf: [
    // Names and addresses of a mesh are in no public registry.
    "e_dnsname_not_valid_tld (error)",
    "e_ext_san_contains_reserved_ip (error)",
    // A SPIFFE ID.
    "e_ext_san_uniform_resource_identifier_present (error)",
    // Nobody is asked about revocation over the web, and there is no policy of the web's.
    "e_sub_cert_aia_missing (error)",
    "e_sub_cert_cert_policy_empty (error)",
    "e_sub_cert_certificate_policies_missing (error)",
    "n_ct_sct_policy_count_unsatisfied (info)",
    "n_san_iana_pub_suffix_empty (info)",
    "w_ext_subject_key_identifier_not_recommended_subscriber (warn)",
    "w_sub_cert_aia_does_not_contain_issuing_ca_url (warn)",
  ],
  issuing: [
    "e_ca_country_name_missing (error)",
    "e_ext_san_uniform_resource_identifier_present (error)",
    "e_invalid_ca_certificate_policies (error)",
    "e_sub_ca_certificate_policies_missing (error)",
    "e_sub_ca_crl_distribution_points_missing (error)",
    "n_ca_digital_signature_not_set (info)",
    "n_mp_allowed_eku (info)",
    // Some validators take it for a constraint of what is below.
    "n_sub_ca_eku_missing (info)",
    "w_sub_ca_aia_missing (warn)",
  ],
  root: [
    "e_ca_country_name_missing (error)",
    "e_ext_san_uniform_resource_identifier_present (error)",
    "n_ca_digital_signature_not_set (info)",
  ],
};

test("zlint finds nothing against an RFC, and of the public web's rules those of the table", async (t) => {
  const zlint = await findZlint();
  if (zlint === undefined) return missing(t, "Go, to build zlint with,");
  for (const profile of ["leaf", "issuing", "root"] as const) {
    const place = { leaf: 0, issuing: 1, root: 2 }[profile];
    const certificates = made.map(({ chain, anchor }) => [...chain, anchor][place]!);
    const findings = await zlint(certificates);
    assert.equal(findings.length, certificates.length);
    const ofRfcs = findings.flatMap((each, i) =>
      each.filter(({ source }) => source.startsWith("RFC")).map(({ lint }) => `${made[i]!.name}: ${lint}`),
    );
    assert.deepEqual(ofRfcs, [], profile);
    const others = new Set(findings.flat().map(({ lint, status }) => `${lint} (${status})`));
    assert.deepEqual([...others].sort(), ofTheWeb[profile], profile);
  }

  // An elliptic key that is to encipher keys, as istiod's leaves have it.
  const usage = [extensions.keyUsage(d.bits(d.bytes(0xa0), 5))];
  const [wrong] = await zlint([makeOpenAuthority().chainOf(`spiffe://${sceneDomain}/x`, { keyUsage: usage })[0]!]);
  assert.ok(
    wrong!.some(({ source }) => source.startsWith("RFC")),
    "zlint tells what is wrong by an RFC",
  );
});
