import { createHash } from "node:crypto";
import type { IssuingAuthority } from "#ca/authorities/contract";
import type { LintedTemplate } from "#ca/lint/linted-template";
import type { CaStore, IntentOutcome, IssuanceIntent } from "#ca/store/contract";
import { readCertificate } from "#ca/x509/read-certificate";

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
      fingerprint: createHash("sha256").update(der).digest("hex"),
      certificateDer: der,
    });
    return new IssuedCertificate(der, recorded);
  }
}

/**
 * What a relying party would find wrong. The body was linted, its names and times compared with the grant: here it must have come out unchanged, byte
 * by byte, under a signature that verifies (a faulty key or memory shows here).
 */
function resultFault(der: Uint8Array, linted: LintedTemplate, authority: IssuingAuthority): string | undefined {
  const read = readCertificate(der);
  if (!read.ok) return `the certificate cannot be read back: ${read.fault.message}`;
  const { tbsDer, outerAlgorithmDer, signatureAlgorithmDer, signature } = read.value;
  if (!sameBytes(tbsDer, linted.body.tbsDer)) return "the signed bytes are not those that were linted";
  if (!sameBytes(outerAlgorithmDer, signatureAlgorithmDer)) return "the two signature algorithms differ";
  return authority.verify(tbsDer, signature) ? undefined : "the signature does not verify";
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}
