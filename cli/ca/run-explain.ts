import { generateKey } from "#ca/authorities/generate-key";
import { buildCsr } from "#ca/csr/build-csr";
import { type RefusalCode, refusals } from "#ca/refusals";
import type { ExplanationShape, StepShape, TriedShape } from "#ca/transport/http/shapes";
import type { KeyKind } from "#ca/x509/contract";
import { writePem } from "#ca/x509/pem";
import type { CommandContext } from "../command.ts";
import { exitCodes } from "../exit-codes.ts";
import { shaped, shapedList } from "./answers.ts";
import { openClient } from "./client.ts";
import { momentText } from "./duration.ts";
import { readItems } from "./inspect/read-items.ts";
import { certificateLines } from "./inspect/render-items.ts";
import { fieldsText, jsonText, linesText, type Paint, paintFor } from "./paint.ts";
import { readNamed } from "./read-file.ts";
import type { FormatOptions, ServiceOptions } from "./service-options.ts";

const stepMembers = { step: "text", ok: "flag", seen: "text", wanted: "text", remedy: "text" } as const;

/** `garita ca explain ID`: the ordered checks of a request that was refused. */
export async function explain(
  id: string,
  options: ServiceOptions & FormatOptions,
  context: CommandContext,
): Promise<void> {
  const client = await openClient(options, context);
  const answer = await client.get(`/v1/ca/explanations/${encodeURIComponent(id)}`);
  const explanation = shaped<ExplanationShape>(answer, client, { id: "text", at: "text", code: "text", door: "text" });
  const steps = shapedList<StepShape>(answer, client, "steps", stepMembers);
  if (options.format === "json") {
    context.write(jsonText(answer));
    return;
  }
  const paint = paintFor(context);
  const row = Object.hasOwn(refusals, explanation.code) ? refusals[explanation.code as RefusalCode] : undefined;
  const isMended = steps.some(({ ok, remedy }) => !ok && remedy !== "");
  context.write(
    linesText([
      ...fieldsText([
        ["refused", row === undefined ? explanation.code : `${row.message} [${explanation.code}]`, paint.bad],
        ["when", momentText(Date.parse(explanation.at), Date.now())],
        [
          "came to",
          `${explanation.door}${explanation.remoteAddress === undefined ? "" : ` from ${explanation.remoteAddress}`}`,
        ],
      ]),
      "",
      ...stepLines(steps, paint),
      ...(row === undefined || isMended ? [] : ["", ...fieldsText([["mend:", row.help]])]),
    ]),
  );
}

export interface TryOptions extends ServiceOptions, FormatOptions {
  readonly id: string;
  readonly csr?: string;
  readonly keyKind: KeyKind;
  readonly ttl?: number;
}

/**
 * `garita ca try`: the certificate that would be issued, with its lints; 10 when it would be refused, 5 when a lint objects. Without a request one is made of a key that is
 * thrown away.
 */
export async function tryIssue(options: TryOptions, context: CommandContext): Promise<void> {
  const csr = await csrOf(options, context);
  const client = await openClient(options, context);
  const ttl = options.ttl === undefined ? {} : { ttlSeconds: options.ttl };
  const answer = await client.post("/v1/ca/try", { spiffeId: options.id, csr, ...ttl });
  const tried = shaped<TriedShape>(answer, client, { certificate: "text?" });
  const steps = shapedList<StepShape>(answer, client, "steps", stepMembers);
  const lintMembers = { lint: "text", citation: "text", message: "text" } as const;
  const findings = shapedList<TriedShape["findings"][number]>(answer, client, "findings", lintMembers);
  if (options.format === "json") context.write(jsonText(answer));
  else {
    const paint = paintFor(context);
    const { certificate } = tried;
    const [item] = certificate === undefined ? [] : readItems(Buffer.from(certificate), client.name);
    context.write(
      linesText([
        certificate === undefined ? paint.bad("would be refused") : paint.good("would be issued"),
        "",
        ...stepLines(steps, paint),
        ...(item?.kind === "certificate" ? ["", ...certificateLines(item.der, Date.now(), paint)] : []),
        ...(findings.length === 0 ? [] : [""]),
        ...findings.flatMap(({ lint, citation, message }) =>
          fieldsText([[`lint ${lint}`, `${message} (${citation})`, paint.bad]]),
        ),
      ]),
    );
  }
  if (tried.certificate === undefined) context.finish(exitCodes.denied);
  else if (findings.length > 0) context.finish(exitCodes.gate);
}

async function csrOf({ csr, id, keyKind }: TryOptions, context: CommandContext): Promise<string> {
  if (csr !== undefined) return Buffer.from(await readNamed(csr, context)).toString("latin1");
  const { privateKey } = await generateKey(keyKind);
  return writePem("CERTIFICATE REQUEST", buildCsr(privateKey, id));
}

/** Each check on a line; of one that failed what was seen, what was wanted, and what mends it. */
function stepLines(steps: readonly StepShape[], paint: Paint): string[] {
  return steps.flatMap(({ step, ok, seen, wanted, remedy }) =>
    ok
      ? fieldsText([["ok     ", seen === "" ? step : `${step}: ${seen}`]])
      : [
          ...fieldsText([["refused", step, paint.bad]]),
          ...fieldsText(
            [
              ["seen", seen || undefined],
              ["wanted", wanted || undefined],
              ["mend", remedy || undefined, paint.good],
            ],
            "         ",
          ),
        ],
  );
}
