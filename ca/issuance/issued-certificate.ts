import { hash } from "node:crypto";
import type { IssuingAuthority } from "#ca/authorities/contract";
import { childrenOf, contentOf, elementBytes, wholeElement } from "#ca/lint/der-element";
import type { LintedTemplate } from "#ca/lint/linted-template";
import type { CaStore, IntentOutcome, IssuanceIntent } from "#ca/store/contract";
import { sameBytes } from "#ca/x509/bytes";

/** An intent that is durable. INVARIANT: `record` is the only way to get one, and nothing is signed for a workload without. */
export class RecordedIntent {
  /** Only `record` makes one: an object that merely looks like it is none. */
  readonly #recorded = true;
  readonly intent: IssuanceIntent;
  readonly linted: LintedTemplate;

  private constructor(intent: IssuanceIntent, linted: LintedTemplate) {
    this.intent = intent;
    this.linted = linted;
  }

  static is(value: object): value is RecordedIntent {
    return #recorded in value && value.#recorded;
  }

  /** Writes the intent down, and redeems the join token in the same step. Rejects when the store cannot say that it is durable. */
  static async record(
    store: CaStore,
    intent: IssuanceIntent,
    linted: LintedTemplate,
    redeem: { readonly tokenHash: string; readonly remoteAddress: string | undefined } | undefined,
  ): Promise<RecordedIntent | Extract<IntentOutcome, { readonly ok: false }>> {
    const outcome = await store.recordIntent(intent, redeem);
    return outcome.ok ? new RecordedIntent(intent, linted) : outcome;
  }
}

/** A certificate that was linted, recorded, signed, verified and recorded again. INVARIANT: only such a one is handed out. */
export class IssuedCertificate {
  /** Only `complete` makes one: an object that merely looks like it is none. */
  readonly #issued = true;
  readonly der: Uint8Array;
  readonly intent: IssuanceIntent;
  readonly linted: LintedTemplate;

  private constructor(der: Uint8Array, { intent, linted }: RecordedIntent) {
    this.der = der;
    this.intent = intent;
    this.linted = linted;
  }

  static is(value: object): value is IssuedCertificate {
    return #issued in value && value.#issued;
  }

  /**
   * Signs once, verifies the result as a relying party would, and writes the completion down. A text says what is wrong with the result: then nothing leaves.
   * Rejects when the store cannot say that the completion is durable.
   */
  static async complete(
    recorded: RecordedIntent,
    authority: IssuingAuthority,
    store: CaStore,
    nowMillis: () => number,
  ): Promise<IssuedCertificate | { readonly fault: string }> {
    if (!RecordedIntent.is(recorded)) throw new Error("nothing is signed without a record");
    const der = authority.sign(recorded.linted);
    const fault = resultFault(der, recorded.linted, authority);
    if (fault !== undefined) return { fault };
    await store.recordCompletion({
      serialHex: recorded.intent.serialHex,
      atMillis: nowMillis(),
      fingerprint: hash("sha256", der, "hex"),
      certificateDer: der,
    });
    return new IssuedCertificate(der, recorded);
  }
}

/**
 * What a relying party would find wrong. The body was read and linted, its key, names and times compared with the grant: here it must have come out unchanged, byte by
 * byte, under a signature that verifies (a faulty key or memory shows here). PERF: so the three parts are told apart, and nothing inside of them is read a second time.
 */
export function resultFault(der: Uint8Array, linted: LintedTemplate, authority: IssuingAuthority): string | undefined {
  const certificate = wholeElement(der);
  const [tbs, algorithm, signature, ...more] = (certificate?.tag === 0x30 ? childrenOf(certificate) : undefined) ?? [];
  if (tbs === undefined || algorithm === undefined || signature === undefined || more.length > 0)
    return "the certificate cannot be read back";
  const signedDer = elementBytes(tbs);
  const { tbsDer, signatureAlgorithmDer } = linted.body;
  if (!sameBytes(signedDer, tbsDer)) return "the signed bytes are not those that were linted";
  if (!sameBytes(elementBytes(algorithm), signatureAlgorithmDer)) return "the two signature algorithms differ";
  // RFC 5280 §4.1.1.3: a BIT STRING, of whole bytes.
  const isWhole = signature.tag === 0x03 && signature.bytes[signature.contentStart] === 0;
  const verifies = isWhole && authority.verify(signedDer, contentOf(signature).subarray(1));
  return verifies ? undefined : "the signature does not verify";
}
