import type { HoldShape, PlanShape, RootStepShape, RotationShape } from "#ca/transport/http/root-shapes";
import { printable } from "#policy-compiler/source/render";
import type { CommandContext } from "../command.ts";
import { exitCodes } from "../exit-codes.ts";
import { UsageFault } from "../usage-fault.ts";
import { shaped } from "./answers.ts";
import { type CaClient, openClient } from "./client.ts";
import { momentText } from "./duration.ts";
import { fieldsText, jsonText, linesText, type Paint, paintFor, tableText } from "./paint.ts";
import { ServiceRefusal } from "./refusal.ts";
import type { FormatOptions, ServiceOptions } from "./service-options.ts";

type Options = ServiceOptions & FormatOptions;

export interface RotateRootOptions extends ServiceOptions, FormatOptions {
  readonly emergency?: boolean;
  readonly remove?: string;
  readonly confirm?: string;
}

export interface WaiveOptions extends ServiceOptions, FormatOptions {
  readonly reason: string;
}

/** So many of those who hold a step up are named. */
const mostNamed = 20;

/** `garita ca root rotate`: a new root, or the one that is on its way goes on; `--emergency`: its next step without waiting. */
export async function rotateRoot(options: RotateRootOptions, context: CommandContext): Promise<void> {
  for (const name of ["remove", "confirm"] as const)
    if (options[name] !== undefined && options.emergency !== true)
      throw new UsageFault(`\`--${name}\` is for --emergency`, { hinted: true });
  const client = await openClient(options, context);
  if (options.emergency === true) await rotateAtOnce(client, options, context);
  else await tell(await client.post("/v1/ca/root/rotate", {}), client, options, context);
}

/** `garita ca root status`: the roots, and who holds up the next step. */
export async function rootStatus(options: Options, context: CommandContext): Promise<void> {
  const client = await openClient(options, context);
  await tell(await client.get("/v1/ca/root"), client, options, context);
}

/** `garita ca root abort`: the root that is on its way is withdrawn. */
export async function abortRoot(options: Options, context: CommandContext): Promise<void> {
  const client = await openClient(options, context);
  await tell(await client.post("/v1/ca/root/abort", {}), client, options, context);
}

/** `garita ca root waive SPIFFE-ID`: the root that is on its way need not wait for it. */
export async function waive(spiffeId: string, options: WaiveOptions, context: CommandContext): Promise<void> {
  const client = await openClient(options, context);
  const answer = await client.post("/v1/ca/root/waivers", { spiffeId, reason: options.reason });
  await tell(answer, client, options, context);
}

/** Says who breaks, and does it for the typed text alone. Without a root that is on its way, or one that leaves, one is made first: that breaks nobody. */
async function rotateAtOnce(client: CaClient, options: RotateRootOptions, context: CommandContext): Promise<void> {
  const { remove } = options;
  const ask = async () =>
    shaped<PlanShape>(await client.get("/v1/ca/root/plan", { remove }), client, {
      action: "text",
      root: "text",
      subject: "text",
      identities: "number",
      breaks: "list",
      broken: "number",
      confirmation: "text",
    });
  const plan = await ask().catch(async (fault: unknown) => {
    const isNone = fault instanceof ServiceRefusal && fault.code === "ca-rotation/none";
    if (!isNone || remove !== undefined) throw fault;
    await client.post("/v1/ca/root/rotate", {});
    return ask();
  });
  context.writeError(planText(plan, Date.now()));
  const typed = options.confirm ?? (await context.readLine());
  if (typed.trim() !== plan.confirmation) {
    context.writeError("garita: that is not the text: nothing was done\n");
    context.finish(exitCodes.denied);
    return;
  }
  const question = { confirmation: plan.confirmation, ...(remove === undefined ? {} : { remove }) };
  await tell(await client.post("/v1/ca/root/force", question), client, options, context);
}

async function tell(answer: unknown, client: CaClient, { format }: FormatOptions, context: CommandContext) {
  const members = { roots: "list", bundle: "object", steps: "list", waivers: "list", fault: "text?" } as const;
  const status = shaped<RotationShape>(answer, client, members);
  context.write(format === "json" ? jsonText(status) : statusText(status, Date.now(), paintFor(context)));
}

function planText(
  { action, root, subject, identities, broken, breaks, confirmation }: PlanShape,
  nowMillis: number,
): string {
  const what =
    action === "activate"
      ? `The root ${root.slice(0, 8)} (${subject}) would be put in force now. Whoever does not trust it refuses every certificate that is issued from then on`
      : `The root ${root.slice(0, 8)} (${subject}) would be removed now. Certificates under it are refused by everybody at once`;
  return linesText([
    printable(`${what}: ${identities} ${identities === 1 ? "identity breaks" : "identities break"}.`),
    ...holdsText(breaks, broken, nowMillis),
    "To have it done, type:",
    printable(confirmation),
  ]);
}

function statusText({ roots, bundle, steps, waivers, fault }: RotationShape, nowMillis: number, paint: Paint): string {
  const moment = (time: string) => momentText(Date.parse(time), nowMillis);
  const rows = roots.map((each) => [
    each.keyId.slice(0, 8),
    each.state,
    each.subject,
    moment(each.since),
    moment(each.notAfter),
  ]);
  return linesText([
    ...fieldsText([
      ["bundle", `sequence ${bundle.sequence}, version ${bundle.version.slice(0, 16)}`],
      ["fault", fault, paint.bad],
    ]),
    "",
    ...tableText(["root", "state", "subject", "since", "ends"], rows, paint),
    ...steps.flatMap((step) => ["", ...stepText(step, nowMillis)]),
    ...waivers.map(({ spiffeId, by, reason, at }) =>
      printable(`not waited for: ${spiffeId}, by ${by} at ${moment(at)}: ${reason}`),
    ),
  ]);
}

function stepText({ root, from, to, waitsFor, heldUpBy }: RootStepShape, nowMillis: number): readonly string[] {
  const next = `root ${root.slice(0, 8)} goes from ${from} to ${to}`;
  if (waitsFor === 0) return [printable(`${next} at the next look, within a minute`)];
  return [printable(`${next}, and waits for:`), ...holdsText(heldUpBy, waitsFor, nowMillis)];
}

function holdsText(holds: readonly HoldShape[], all: number, nowMillis: number): readonly string[] {
  const named = holds.slice(0, mostNamed);
  return [
    ...named.map((hold) => printable(`  ${holdText(hold, nowMillis)}`)),
    ...(all > named.length ? [`  and ${all - named.length} more`] : []),
  ];
}

function holdText({ kind, spiffeId, serial, node, until, message }: HoldShape, nowMillis: number): string {
  const end = until === undefined ? "" : ` until ${momentText(Date.parse(until), nowMillis)}`;
  switch (kind) {
    case "time":
      return `time to pass,${end}`;
    case "certificate":
      return `${spiffeId}, certificate ${serial},${end}`;
    case "stream":
      return `${spiffeId}, stream of ${node === "" ? "a node without a name" : node}${message === undefined ? "" : `, which refuses the bundle: ${message}`}`;
    case "in-force":
      return "another root: the issuing authority in force stands under this one";
    default:
      return `${kind}: ${message ?? ""}`;
  }
}
