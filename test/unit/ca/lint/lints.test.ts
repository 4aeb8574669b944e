import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import type { LintContext } from "#ca/lint/contract";
import { lintBody, lintTemplate } from "#ca/lint/linted-template";
import { lints } from "#ca/lint/lints";
import { type CertificateTemplate, type IssuerNames, keyKinds } from "#ca/x509/contract";
import { buildTbs, drawSerial } from "#ca/x509/write-certificate";
import { bodyOf, encodeTbs, keyIdOf, type ValidParts, validParts } from "#test/support/ca/certificate-parts";
import * as d from "#test/support/ca/der-builder";
import { type LintCase, lintCases } from "./lint-cases.ts";

const profiles = ["leaf", "issuing", "root"] as const;

for (const profile of profiles) {
  test(`no lint speaks of a ${profile} that is right, whatever the keys`, () => {
    for (const subjectKind of keyKinds) {
      for (const signerKind of profile === "root" ? [subjectKind] : keyKinds) {
        const { parts, context } = validParts(profile, subjectKind, signerKind);
        const result = lintTemplate(encodeTbs(parts), context);
        assert.ok(result.ok, `${subjectKind} by ${signerKind}: ${JSON.stringify(!result.ok && result.findings)}`);
        assert.deepEqual(result.linted.body.tbsDer, encodeTbs(parts));
        assert.equal(result.linted.context, context);
      }
    }
  });
}

test("a root in Istio's form is right: an organization alone, no identity", () => {
  const { parts, context } = validParts("root", "RSA-4096", "RSA-4096");
  const subject = d.distinguishedName([d.organization, d.utf8("cluster.local")]);
  const body = bodyOf({ ...parts, subject, issuer: subject, subjectAltName: [] });
  assert.deepEqual(lintBody(body, { ...context, grantedId: undefined }), []);
});

test("what the authority writes is right", () => {
  const organization = "mesh.example";
  for (const kind of keyKinds) {
    const root = validParts("root", kind, kind);
    const issuing = validParts("issuing", kind, kind);
    const leaf = validParts("leaf", kind, kind);
    const names = ({ context }: ValidParts): IssuerNames => {
      const { body } = context.issuer!;
      return { subjectDer: body.subjectDer, subjectKeyId: keyIdOf(body.spkiDer), keyKind: kind };
    };
    const base = ({ context }: ValidParts) => ({
      serial: drawSerial(randomBytes),
      notBeforeMillis: context.grantedNotBeforeMillis,
      notAfterMillis: context.grantedNotAfterMillis,
      subjectPublicKeyDer: context.grantedSpkiDer,
    });
    const uri = `spiffe://${organization}`;
    const dnsNames = ["cart.shop.svc", "cart"];
    const ipAddresses = [d.bytes(10, 0, 0, 1), new Uint8Array(16).fill(0xfe)];
    const cases: readonly (readonly [CertificateTemplate, LintContext])[] = [
      [{ ...base(root), profile: "root", issuer: undefined, organization, commonName: "root 1", uri }, root.context],
      [
        { ...base(issuing), profile: "issuing", issuer: names(issuing), organization, commonName: "issuer 1", uri },
        issuing.context,
      ],
      [
        { ...base(leaf), profile: "leaf", issuer: names(leaf), uri: leaf.context.grantedId!, dnsNames, ipAddresses },
        { ...leaf.context, grantedDnsNames: dnsNames, grantedIpAddresses: ipAddresses },
      ],
    ];
    for (const [template, context] of cases) {
      const result = lintTemplate(buildTbs(template), context);
      assert.deepEqual(result.ok ? [] : result.findings, [], `${template.profile} ${kind}`);
    }
  }
});

function findingsOf({ profile, keys = ["P-256", "P-256"], parts, context, body }: LintCase) {
  const valid = validParts(profile, ...keys);
  const read = bodyOf({ ...valid.parts, ...parts?.(valid) });
  return lintBody({ ...read, ...body?.(read) }, { ...valid.context, ...context?.(valid) });
}

for (const each of lintCases) {
  test(`${each.lints[0]}: ${each.profile} with ${each.broken}`, () => {
    const findings = findingsOf(each);
    assert.deepEqual(
      findings.map(({ lint }) => lint).sort(),
      [...each.lints].sort(),
      JSON.stringify(findings, undefined, 2),
    );
    for (const { lint, message, citation } of findings) {
      assert.match(message, /^[\x20-\x7e…]{1,400}$/, lint);
      assert.equal(citation, lints.find(({ id }) => id === lint)?.citation);
    }
  });
}

test("every lint speaks of a case made for it", () => {
  const lacking = lints.filter(({ id }) => !lintCases.some((each) => each.lints[0] === id));
  assert.deepEqual(
    lacking.map(({ id }) => id),
    [],
  );
});

test("lints have ids of their own, a citation and a sentence", () => {
  assert.equal(new Set(lints.map(({ id }) => id)).size, lints.length);
  for (const { id, citation, what, profiles: about } of lints) {
    assert.match(id, /^[a-z][a-z0-9_]+$/);
    assert.match(
      citation,
      /^(?:RFC \d+ (?:§|Appendix )|X\.690 §|X509-SVID §|SPIFFE-ID §|CA\/Browser Forum BR §|Garita's profile)/,
      id,
    );
    assert.match(what, /^[A-Za-z`].*\.$/, id);
    assert.ok(about.length > 0, id);
  }
});

test("a lint speaks of the profiles that it is about, and only of them", () => {
  for (const each of lintCases)
    for (const id of each.lints)
      assert.ok(lints.find((lint) => lint.id === id)?.profiles.includes(each.profile), `${id} ${each.profile}`);
});

test("bytes that cannot be read are no template", () => {
  const { parts, context } = validParts("leaf");
  const result = lintTemplate(encodeTbs(parts).subarray(0, -1), context);
  assert.ok(!result.ok);
  assert.deepEqual(
    result.findings.map(({ lint }) => lint),
    ["readable"],
  );
});

test("an issued certificate without an issuer is told, not thrown", () => {
  for (const profile of ["leaf", "issuing"] as const) {
    const { parts, context } = validParts(profile);
    const findings = lintBody(bodyOf(parts), { ...context, issuer: undefined });
    assert.deepEqual(
      findings.map(({ lint }) => lint),
      ["issuer_is_issuers_subject", "issuer_key_of_signer", "issuer_is_ca"],
    );
  }
});
