import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, before, test } from "node:test";
import type { AuthoritySet, IssuingAuthority } from "#ca/authorities/contract";
import { KeyPolicy } from "#ca/csr/key-policy";
import { ParsedCsr, parseCsr } from "#ca/csr/parse-csr";
import { ProvenCsr, proveCsr } from "#ca/csr/prove-csr";
import { buildTemplate } from "#ca/issuance/build-template";
import { answerOf } from "#ca/issuance/certify";
import { Grant } from "#ca/issuance/grant";
import { IssuedCertificate, RecordedIntent } from "#ca/issuance/issued-certificate";
import { LintedTemplate } from "#ca/lint/linted-template";
import { importPublicKey } from "#ca/x509/import-key";
import { SubjectPublicKey } from "#ca/x509/subject-public-key";
import { parseSpiffeId } from "#identity/spiffe-id";
import { endScene, entry, newCsr, openScene, type Scene, webId } from "#test/support/ca/scene";

/** One of each proof, made as they are made, and everything that they are proof for. */
interface Proofs {
  readonly publicKey: SubjectPublicKey;
  readonly parsed: ParsedCsr;
  readonly proven: ProvenCsr;
  readonly grant: Grant;
  readonly linted: LintedTemplate;
  readonly issuing: IssuingAuthority;
}

/**
 * What does not compile: `npm run types` fails for each of these lines that would. Never called. An object literal with the members of a proof is none, nor
 * is the proof before it: each step takes what the one before it made.
 */
export function doesNotCompile({ publicKey, parsed, proven, grant, linted, issuing }: Proofs, { store }: Scene): void {
  const id = grant.id;
  const { lifetime, dnsNames, ipAddresses } = grant;
  const intent = {} as RecordedIntent["intent"];
  const authorities = {} as AuthoritySet;

  // @ts-expect-error its constructor is private
  new SubjectPublicKey("P-256", publicKey.spkiDer);
  // @ts-expect-error its constructor is private
  new ParsedCsr(parsed);
  // @ts-expect-error its constructor is private
  new ProvenCsr(parsed);
  // @ts-expect-error its constructor is private
  new Grant(grant);
  // @ts-expect-error its constructor is private
  new LintedTemplate(linted.body, linted.context);
  // @ts-expect-error its constructor is private
  new RecordedIntent(intent, linted);
  // @ts-expect-error its constructor is private
  new IssuedCertificate(new Uint8Array(), intent);

  // @ts-expect-error bytes are no key of a known shape
  importPublicKey({ kind: "P-256", spkiDer: publicKey.spkiDer, hash: publicKey.hash });
  // @ts-expect-error a text is no request that was read
  proveCsr({ ...parsed }, new KeyPolicy({ blockedKeys: new Set(), rememberedKeys: 1 }));
  // @ts-expect-error a request that was read is not proven
  Grant.toCaller(id, entry(webId), parsed, lifetime);
  // @ts-expect-error nor is a key
  Grant.toCaller(id, entry(webId), { der: proven.der, names: proven.names, publicKey }, lifetime);
  // @ts-expect-error a text is no identity
  Grant.toCaller(webId, entry(webId), proven, lifetime);
  // @ts-expect-error what a grant holds is no grant
  buildTemplate({ id, dnsNames, ipAddresses, publicKey, lifetime }, issuing, randomBytes);
  // @ts-expect-error bytes are not linted
  issuing.sign(linted.body.tbsDer);
  // @ts-expect-error what was read is not linted
  issuing.sign(linted.body);
  // @ts-expect-error an object of the same members is not linted
  issuing.sign({ body: linted.body, context: linted.context });
  // @ts-expect-error what was not recorded is not completed
  void IssuedCertificate.complete({ intent, linted }, issuing, store, () => 0);
  // @ts-expect-error what was linted is not recorded
  void IssuedCertificate.complete(linted, issuing, store, () => 0);
  // @ts-expect-error what was signed is not issued
  answerOf({ der: issuing.sign(linted), intent, linted }, issuing, authorities);
}

let scene: Scene;
let proofs: Proofs;
before(async () => {
  scene = await openScene();
  proofs = makeProofs(scene);
});
after(() => endScene(scene));

function makeProofs({ authority }: Scene): Proofs {
  const { issuing } = authority.authorities.current();
  const parsed = parseCsr(newCsr().csrPem);
  const id = parseSpiffeId(webId);
  assert.ok(issuing !== undefined && parsed.ok && id.ok);
  const proven = proveCsr(parsed.csr, new KeyPolicy({ blockedKeys: new Set(), rememberedKeys: 1 }));
  assert.ok(proven.ok);
  const second = Math.floor(Date.now() / 1000) * 1000;
  const lifetime = { notBeforeMillis: second, notAfterMillis: second + 60_000 };
  const grant = Grant.toCaller(id.id, entry(webId), proven.csr, lifetime);
  const { result } = buildTemplate(grant, issuing, randomBytes);
  assert.ok(result.ok);
  const { publicKey } = parsed.csr;
  return { publicKey, parsed: parsed.csr, proven: proven.csr, grant, linted: result.linted, issuing };
}

/** An object with all that can be seen of another, as code that goes around the types would make it. */
function lookAlike<T extends object>(value: T): T {
  return Object.assign(Object.create(Object.getPrototypeOf(value)), value);
}

test("what merely looks like a proof is none", () => {
  const { publicKey, parsed, proven, grant, linted } = proofs;
  for (const [is, value] of [
    [SubjectPublicKey.is, publicKey],
    [ParsedCsr.is, parsed],
    [ProvenCsr.is, proven],
    [Grant.is, grant],
    [LintedTemplate.is, linted],
  ] as const) {
    assert.ok(is(value));
    assert.ok(lookAlike<object>(value) instanceof value.constructor, "it is all but the same");
    assert.ok(!is(lookAlike<object>(value)), value.constructor.name);
  }
});

test("what looks like a proof opens nothing, whatever the types are told", async () => {
  const { publicKey, grant, linted, issuing } = proofs;
  const recorded = { intent: {}, linted } as unknown as RecordedIntent;
  assert.throws(() => importPublicKey(lookAlike(publicKey)), /shape/);
  assert.throws(() => buildTemplate(lookAlike(grant), issuing, randomBytes), /grant/);
  assert.throws(() => issuing.sign(lookAlike(linted)), /no leaf of this authority/);
  await assert.rejects(IssuedCertificate.complete(recorded, issuing, scene.store, Date.now), /without a record/);
  const issued = { der: new Uint8Array(), intent: {}, linted } as unknown as IssuedCertificate;
  assert.throws(() => answerOf(issued, issuing, scene.authority.authorities.current()), /not issued/);
});

test("an authority signs what was linted for itself, and nothing that was linted for another", async (t) => {
  const other = await openScene();
  t.after(() => endScene(other));
  const foreign = makeProofs(other);
  assert.throws(() => proofs.issuing.sign(foreign.linted), /no leaf of this authority/);
  assert.ok(foreign.issuing.sign(foreign.linted).length > 0);
});
