import type { CertificateBody } from "#ca/x509/contract";
import { readCertificateBody } from "#ca/x509/read-certificate";
import type { Lint, LintContext, LintFinding } from "./contract.ts";
import { LintSubject } from "./lint-subject.ts";
import { lints } from "./lints.ts";

/**
 * The final to-be-signed bytes of a certificate that no lint objects to. INVARIANT: only such bytes are ever signed; `lintTemplate` is the only way to get one.
 */
export class LintedTemplate {
  /** Only `lintTemplate` makes one: an object that merely looks like it is none. */
  readonly #linted = true;
  readonly body: CertificateBody;
  readonly context: LintContext;

  private constructor(body: CertificateBody, context: LintContext) {
    this.body = body;
    this.context = context;
  }

  static is(value: object): value is LintedTemplate {
    return #linted in value && value.#linted;
  }

  /** See `lintTemplate`. */
  static lint(tbsDer: Uint8Array, context: LintContext): LintedTemplateResult {
    const read = readCertificateBody(tbsDer);
    if (!read.ok)
      return { ok: false, findings: [{ lint: "readable", citation: "RFC 5280 §4.1", message: read.fault.message }] };
    const findings = lintBody(read.value, context);
    return findings.length > 0
      ? { ok: false, findings }
      : { ok: true, linted: new LintedTemplate(read.value, context) };
  }
}

export type LintedTemplateResult =
  | { readonly ok: true; readonly linted: LintedTemplate }
  | { readonly ok: false; readonly findings: readonly LintFinding[] };

/** Reads the bytes back and lints what they say. Never throws. */
export function lintTemplate(tbsDer: Uint8Array, context: LintContext): LintedTemplateResult {
  return LintedTemplate.lint(tbsDer, context);
}

/** What the lints of the profile say of a body, in the order of the table. */
export function lintBody(body: CertificateBody, context: LintContext): readonly LintFinding[] {
  const findings: LintFinding[] = [];
  const subject = LintSubject.of(body);
  for (const lint of lintsOf[context.profile]) {
    const message = lint.check(subject, context);
    if (message !== undefined) findings.push({ lint: lint.id, citation: lint.citation, message });
  }
  return findings;
}

const lintsOf: Readonly<Record<LintContext["profile"], readonly Lint[]>> = {
  leaf: lints.filter(({ profiles }) => profiles.includes("leaf")),
  issuing: lints.filter(({ profiles }) => profiles.includes("issuing")),
  root: lints.filter(({ profiles }) => profiles.includes("root")),
};
