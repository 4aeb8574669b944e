import assert from "node:assert/strict";
import type { KeyObject } from "node:crypto";
import type { Credentials } from "#ca/callers/contract";
import type { CertificateAnswer, CertificateRequest, IssuedAnswer } from "#ca/issuance/contract";
import type { RefusalCode } from "#ca/refusals";
import type { TokenWanted } from "#ca/service/contract";
import type { ExplainedStep, Explanation, IssuanceRecord } from "#ca/store/contract";
import type { Certificate, GeneralName } from "#ca/x509/contract";
import { readPem } from "#ca/x509/pem";
import { readCertificate } from "#ca/x509/read-certificate";
import { extensionOids, readAlternativeNames } from "#ca/x509/read-extensions";
import { newCsr, nobody, type Scene } from "./scene.ts";

/** A certificate that a scene issued, read back by the product's reader. */
export interface IssuedInScene {
  readonly answer: IssuedAnswer;
  readonly leaf: Certificate;
  readonly names: readonly GeneralName[];
  /** DER: leaf and intermediates, as a client presents them. */
  readonly chain: readonly Uint8Array[];
  readonly record: IssuanceRecord;
}

/** Asks, and demands a certificate. */
export async function issueIn(scene: Scene, change: Partial<CertificateRequest>): Promise<IssuedInScene> {
  return readIssued(scene, await scene.issue(change));
}

export async function readIssued(scene: Scene, answer: CertificateAnswer): Promise<IssuedInScene> {
  if (!answer.ok) assert.fail(`${answer.code}: ${JSON.stringify(await scene.store.explanation(answer.explanationId))}`);
  assert.ok(answer.chain.length >= 2, "at least two elements");
  const chain = answer.chain.slice(0, -1).map(certificateOf);
  const leaf = chain[0]!;
  const record = await scene.store.issuance(answer.serialHex);
  assert.ok(record?.state === "issued", "an issued certificate has a record");
  return { answer, leaf, names: namesOf(leaf), chain: chain.map(({ der }) => der), record };
}

export interface RefusedInScene {
  readonly code: RefusalCode;
  readonly explanation: Explanation;
  /** The step that refused. */
  readonly last: ExplainedStep;
}

/** Asks, and demands a refusal that can be explained. */
export async function refuseIn(scene: Scene, change: Partial<CertificateRequest>): Promise<RefusedInScene> {
  return readRefused(scene, await scene.issue(change));
}

export async function readRefused(scene: Scene, answer: CertificateAnswer): Promise<RefusedInScene> {
  if (answer.ok) assert.fail(`issued for ${answer.spiffeId}`);
  const explanation = await scene.store.explanation(answer.explanationId);
  assert.ok(explanation !== undefined, "a refusal has an explanation");
  assert.equal(explanation.code, answer.code);
  return { code: answer.code, explanation, last: explanation.steps.at(-1)! };
}

export function certificateOf(pem: string): Certificate {
  const block = readPem(pem, ["CERTIFICATE"]);
  assert.ok(block.ok, "PEM of one certificate");
  const read = readCertificate(block.value);
  assert.ok(read.ok, "a certificate");
  return read.value;
}

export function namesOf({ extensions }: Certificate): readonly GeneralName[] {
  const extension = extensions.find(({ oid }) => oid === extensionOids.subjectAlternativeName);
  const read = extension === undefined ? undefined : readAlternativeNames(extension.value);
  assert.ok(read?.ok, "alternative names");
  return read.value;
}

/** What a client brings that has this chain (DER, leaf first) and its key. */
export function presenting(chain: readonly Uint8Array[]): Credentials {
  return { ...nobody, clientCertificates: chain };
}

export function bearing(bearer: string, remoteAddress: string | undefined = nobody.remoteAddress): Credentials {
  return { ...nobody, bearer, remoteAddress };
}

/** A new join token for the identity. */
export async function tokenIn(scene: Scene, spiffeId: string, change: Partial<TokenWanted> = {}): Promise<string> {
  const wanted = { spiffeId, ttlSeconds: undefined, sourceCidrs: [], ...change };
  return (await scene.authority.service.createToken(wanted, "test")).token;
}

/** A first certificate of the identity, by a join token, and the key that it is for. */
export async function enrolIn(
  scene: Scene,
  spiffeId: string,
): Promise<IssuedInScene & { readonly privateKey: KeyObject; readonly csrPem: string }> {
  const { privateKey, csrPem } = newCsr();
  const credentials = bearing(await tokenIn(scene, spiffeId));
  return { ...(await issueIn(scene, { csrPem, credentials })), privateKey, csrPem };
}

/** How many certificates the store knows, in any state. */
export async function recordsIn(scene: Scene): Promise<readonly IssuanceRecord[]> {
  return scene.store.issuances({ limit: 10_000 });
}
