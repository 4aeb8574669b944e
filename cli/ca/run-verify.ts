import { readCertificate } from "#ca/x509/read-certificate";
import { svidFaults } from "#ca/x509/svid-faults";
import { type SvidPurpose, type VerifiedSvid, verifySvid } from "#ca/x509/verify-svid";
import type { CommandContext } from "../command.ts";
import { exitCodes } from "../exit-codes.ts";
import { UsageFault } from "../usage-fault.ts";
import { momentText, stampText } from "./duration.ts";
import { certificatesOf } from "./inspect/read-items.ts";
import { fieldsText, jsonText, linesText, type Paint, paintFor } from "./paint.ts";
import { readNamed } from "./read-file.ts";
import type { FormatOptions } from "./service-options.ts";

export interface VerifyOptions extends FormatOptions {
  readonly bundle: string;
  readonly purpose?: SvidPurpose;
  readonly trustDomain?: string;
}

/**
 * `garita ca verify FILE --bundle FILE`: would a peer that trusts these roots take the certificate, as client and as server? 5 when not. The roots are those of
 * `--trust-domain`, else of the trust domain that the certificate names.
 */
export async function verify(file: string, options: VerifyOptions, context: CommandContext): Promise<void> {
  const chain = certificatesOf(await readNamed(file, context), file);
  const anchors = certificatesOf(await readNamed(options.bundle, context), options.bundle).map((der) => {
    const read = readCertificate(der);
    if (read.ok) return read.value;
    throw new UsageFault(`a root of \`${options.bundle}\` cannot be read: ${read.fault.message}`);
  });
  const bundleOf = (domain: string) =>
    options.trustDomain === undefined || options.trustDomain === domain ? anchors : undefined;
  const now = Date.now();
  const purposes: readonly SvidPurpose[] = options.purpose === undefined ? ["client", "server"] : [options.purpose];
  const verdicts = purposes.map((purpose) => ({ purpose, verdict: verifySvid(chain, bundleOf, now, purpose) }));
  if (options.format === "json") context.write(jsonText({ verdicts: verdicts.map(verdictJson) }));
  else {
    const paint = paintFor(context);
    context.write(linesText(verdicts.flatMap(({ purpose, verdict }) => verdictLines(purpose, verdict, now, paint))));
  }
  if (verdicts.some(({ verdict }) => !verdict.ok)) context.finish(exitCodes.gate);
}

interface Verdict {
  readonly purpose: SvidPurpose;
  readonly verdict: VerifiedSvid;
}

function verdictJson({ purpose, verdict }: Verdict): object {
  return verdict.ok
    ? { purpose, ok: true, spiffeId: verdict.id.toString(), notAfter: stampText(verdict.notAfterMillis) }
    : { purpose, ok: false, reason: verdict.reason, message: svidFaults[verdict.reason] };
}

function verdictLines(purpose: SvidPurpose, verdict: VerifiedSvid, nowMillis: number, paint: Paint): string[] {
  if (!verdict.ok)
    return fieldsText([[`as ${purpose}`, `refused: ${svidFaults[verdict.reason]} [${verdict.reason}]`, paint.bad]]);
  const good = `${verdict.id.toString()}, good until ${momentText(verdict.notAfterMillis, nowMillis)}`;
  return fieldsText([[`as ${purpose}`, good, paint.good]]);
}
