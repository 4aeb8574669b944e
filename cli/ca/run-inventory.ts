import type { CertificateShape, CertificatesShape } from "#ca/transport/http/shapes";
import { printable } from "#policy-compiler/source/render";
import type { CommandContext } from "../command.ts";
import { exitCodes } from "../exit-codes.ts";
import { shaped, shapedList } from "./answers.ts";
import { type CaClient, openClient } from "./client.ts";
import { momentText } from "./duration.ts";
import { fieldsText, jsonText, linesText, type Paint, paintFor, tableText } from "./paint.ts";
import type { FormatOptions, ServiceOptions } from "./service-options.ts";

export interface ListOptions extends ServiceOptions, FormatOptions {
  readonly id?: string;
  readonly state?: "intended" | "issued" | "abandoned";
  readonly revoked?: boolean;
  readonly newest?: boolean;
  readonly after?: string;
  readonly limit: number;
}

/** The largest page that is asked for. */
const pageSize = 500;

const recordMembers = {
  serial: "text",
  spiffeId: "text",
  state: "text",
  notBefore: "text",
  notAfter: "text",
  keyKind: "text",
  requestedAt: "text",
  method: "text",
  caller: "text",
  dnsNames: "list",
  nameMismatch: "list",
} as const;

/** `garita ca list`: what was issued, newest first. */
export async function list(options: ListOptions, context: CommandContext): Promise<void> {
  const { id, state, revoked, newest, after } = options;
  const client = await openClient(options, context);
  const query = { spiffeId: id, state, revoked, newestOnly: newest };
  const { certificates, next } = await pagesOf(client, query, options.limit, after);
  if (options.format === "json") context.write(jsonText({ certificates, next }));
  else context.write(listText(certificates, next, paintFor(context)));
}

export interface ExpiringOptions extends ServiceOptions, FormatOptions {
  readonly within: number;
  readonly everyKey: boolean;
}

/**
 * `garita ca expiring --within`: identities whose newest certificate ends soon, the soonest first; 10 when there are any. `everyKey`: the newest certificate of each key, for
 * identities that several machines have with keys of their own; keys that were replaced by a renewal are among them until they end.
 */
export async function expiring(options: ExpiringOptions, context: CommandContext): Promise<void> {
  const client = await openClient(options, context);
  const query = { ...inUse, endingWithinSeconds: options.within, newestOnly: true };
  const { certificates } = await pagesOf(client, query, Number.POSITIVE_INFINITY, undefined);
  // The authority's own server certificate is renewed by itself.
  const others = certificates.filter(({ method }) => method !== "self");
  const candidates = options.everyKey ? others : await newestOf(client, others);
  const due = candidates.toSorted((a, b) => Date.parse(a.notAfter) - Date.parse(b.notAfter));
  context.write(
    options.format === "json" ? jsonText({ certificates: due }) : listText(due, undefined, paintFor(context)),
  );
  if (due.length > 0) context.finish(exitCodes.denied);
}

const inUse = { state: "issued", revoked: false } as const;

/** Those of the certificates that are the newest of their identity. */
async function newestOf(
  client: CaClient,
  certificates: readonly CertificateShape[],
): Promise<readonly CertificateShape[]> {
  const newest = new Set<string>();
  for (const spiffeId of new Set(certificates.map((each) => each.spiffeId))) {
    const { certificates: found } = await pagesOf(client, { ...inUse, spiffeId }, 1, undefined);
    for (const { serial } of found) newest.add(serial);
  }
  return certificates.filter(({ serial }) => newest.has(serial));
}

/** `garita ca show SERIAL`: one record whole. */
export async function show(
  serial: string,
  options: ServiceOptions & FormatOptions,
  context: CommandContext,
): Promise<void> {
  const client = await openClient(options, context);
  const answer = await client.get(`/v1/ca/certificates/${encodeURIComponent(normalSerial(serial))}`);
  const record = shaped<CertificateShape>(answer, client, { ...recordMembers, certificate: "text?" });
  if (options.format === "json") context.write(jsonText(record));
  else context.write(recordText(record, Date.now(), paintFor(context)));
}

/** Serials of the certificates that the identity of one has beside it: not revoked, and not ended yet. The newest first, at most a page of them. */
export async function serialsBeside(serial: string, client: CaClient): Promise<readonly string[]> {
  const answer = await client.get(`/v1/ca/certificates/${encodeURIComponent(serial)}`);
  const { spiffeId } = shaped<CertificateShape>(answer, client, { ...recordMembers, certificate: "text?" });
  const { certificates } = await pagesOf(client, { ...inUse, spiffeId }, pageSize, undefined);
  const live = certificates.filter((each) => each.serial !== serial && Date.parse(each.notAfter) > Date.now());
  return live.map((each) => each.serial);
}

/** Hex as OpenSSL and browsers write it, `AB:CD`, is taken too. */
export function normalSerial(text: string): string {
  return text.replaceAll(":", "").toLowerCase();
}

async function pagesOf(
  client: CaClient,
  query: Readonly<Record<string, string | number | boolean | undefined>>,
  limit: number,
  from: string | undefined,
): Promise<{ readonly certificates: readonly CertificateShape[]; readonly next: string | undefined }> {
  const certificates: CertificateShape[] = [];
  let after = from;
  do {
    const size = Math.min(pageSize, limit - certificates.length);
    const answer = await client.get("/v1/ca/certificates", { ...query, after, limit: size });
    const page = shapedList<CertificateShape>(answer, client, "certificates", recordMembers);
    certificates.push(...page);
    const { next } = shaped<CertificatesShape>(answer, client, { next: "text?" });
    // A page that leads to itself would never end.
    after = next === after || page.length === 0 ? undefined : next;
  } while (after !== undefined && certificates.length < limit);
  return { certificates, next: after };
}

function listText(certificates: readonly CertificateShape[], next: string | undefined, paint: Paint): string {
  if (certificates.length === 0) return "none\n";
  const now = Date.now();
  const rows = certificates.map((each) => [
    each.serial,
    stateOf(each, now),
    each.spiffeId,
    each.keyKind,
    momentText(Date.parse(each.notAfter), now),
  ]);
  return linesText([
    ...tableText(["serial", "state", "identity", "key", "ends"], rows, paint),
    ...(next === undefined ? [] : [paint.faint(`more: --after ${next}`)]),
  ]);
}

function stateOf({ state, revoked, notAfter }: CertificateShape, nowMillis: number): string {
  if (revoked !== undefined) return "revoked";
  return state === "issued" && Date.parse(notAfter) < nowMillis ? "ended" : state;
}

function recordText(record: CertificateShape, nowMillis: number, paint: Paint): string {
  const moment = (text: string) => momentText(Date.parse(text), nowMillis);
  const { revoked } = record;
  const state = stateOf(record, nowMillis);
  return linesText([
    ...fieldsText([
      ["identity", record.spiffeId],
      ["state", state, state === "issued" ? paint.good : paint.bad],
      [
        "revoked",
        revoked &&
          `${moment(revoked.at)} by ${revoked.by}${revoked.spiffeId === undefined ? "" : ", with its identity"}: ${revoked.reason}`,
        paint.bad,
      ],
      ["serial", record.serial],
      ["begins", moment(record.notBefore)],
      ["ends", moment(record.notAfter)],
      ["DNS names", record.dnsNames.length === 0 ? undefined : record.dnsNames.join(", ")],
      ["key", `${record.keyKind}, SHA-256 ${record.spkiHash}`],
      ["signed by", record.issuerKeyId],
      ["asked", moment(record.requestedAt)],
      ["by", `${record.caller} (${record.method})`],
      ["evidence", record.evidence],
      ["allowed by", record.registration],
      ["other names", record.nameMismatch.length === 0 ? undefined : record.nameMismatch.join(", "), paint.odd],
      ["request", `${record.requestId}, SHA-256 ${record.csrHash}`],
      ["SHA-256", record.fingerprint],
    ]),
    ...(record.certificate === undefined
      ? []
      : [
          "",
          ...record.certificate
            .trimEnd()
            .split("\n")
            .map((line) => printable(line)),
        ]),
  ]);
}
