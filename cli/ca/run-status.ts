import { denyListTypeUrl } from "#ca/deny-list/contract";
import type { AuthorityShape, StatusShape } from "#ca/transport/http/shapes";
import type { CommandContext } from "../command.ts";
import { shaped } from "./answers.ts";
import { openClient } from "./client.ts";
import { momentText } from "./duration.ts";
import { fieldsText, jsonText, linesText, type Paint, paintFor, tableText } from "./paint.ts";
import type { FormatOptions, ServiceOptions } from "./service-options.ts";

/** `garita ca status`: what a running authority says of itself. */
export async function status(options: ServiceOptions & FormatOptions, context: CommandContext): Promise<void> {
  const client = await openClient(options, context);
  const page = shaped<StatusShape>(await client.get("/v1/ca/status"), client, {
    trustDomain: "text",
    authorities: "list",
    bundle: "object",
    rotation: "object",
    store: "object",
    streams: "object",
    warnings: "list",
  });
  context.write(options.format === "json" ? jsonText(page) : statusText(page, Date.now(), paintFor(context)));
}

/** `garita ca rotate`: a new issuing authority under the same root. */
export async function rotate(options: ServiceOptions & FormatOptions, context: CommandContext): Promise<void> {
  const client = await openClient(options, context);
  const members = { keyId: "text", keyKind: "text", state: "text", notAfter: "text" } as const;
  const authority = shaped<AuthorityShape>(await client.post("/v1/ca/issuer", {}), client, members);
  const end = momentText(Date.parse(authority.notAfter), Date.now());
  const line = `${authority.state}: issuing authority ${authority.keyId}, ${authority.keyKind}, ends ${end}`;
  context.write(options.format === "json" ? jsonText(authority) : linesText([line]));
}

function statusText(page: StatusShape, nowMillis: number, paint: Paint): string {
  const { rotation, store } = page;
  const moment = (text: string) => momentText(Date.parse(text), nowMillis);
  const head = store.lastHead;
  const server = page.serverCertificateNotAfter;
  const rows = page.authorities.map((each) => [
    each.slot === undefined ? each.role : `${each.role} ${each.slot}`,
    each.state,
    each.keyKind,
    each.keyId.slice(0, 16),
    each.keyHeld ? "here" : "elsewhere",
    moment(each.notAfter),
  ]);
  return linesText([
    ...fieldsText([
      ["trust domain", page.trustDomain],
      ["bundle", `${counted(page.bundle.anchors, "root")}, sequence ${page.bundle.sequence}`],
      ["streams", page.streams.open === 0 ? undefined : streamsLine(page)],
      ["registrations", String(page.registrations)],
      ["root", rotation.state && `${rotation.state}, held up by ${rotation.stragglers}`, paint.odd],
      ["outage budget", rotation.firstBreak && `the first proxy would break ${moment(rotation.firstBreak)}`],
      ["since start", `${page.issuedSinceStart} issued, ${page.refusedSinceStart} refused`],
      ["server certificate", server === undefined ? undefined : `ends ${moment(server)}`],
      ["store", `${store.issued} issued in all, ${store.entries} entries, generation ${store.generation}`],
      ["unfinished", store.unfinished === 0 ? undefined : String(store.unfinished), paint.odd],
      ["sealed", head === undefined ? "nothing yet" : `up to entry ${head.number}, ${moment(head.at)}`],
      ["store fault", store.fault, paint.bad],
    ]),
    "",
    ...tableText(["authority", "state", "key", "key id", "key is", "ends"], rows, paint),
    ...streamsText(page, nowMillis, paint),
    ...(page.warnings.length === 0 ? [] : [""]),
    ...page.warnings.flatMap((warning) => fieldsText([["warning:", warning, paint.odd]])),
  ]);
}

/** Which version is acknowledged can be told from the table: it is named as it is there. */
function streamsLine({ bundle, streams }: StatusShape): string {
  const { taken, acknowledged } = streams.bundle;
  return `${streams.open} open; bundle ${bundle.version.slice(0, 16)} acknowledged by ${acknowledged} of ${taken}`;
}

/** One line a name of a stream; what was rejected stands below, in the client's own words. */
function streamsText({ streams }: StatusShape, nowMillis: number, paint: Paint): readonly string[] {
  if (streams.open === 0) return [];
  const rows = streams.listed.flatMap(({ typeUrl, spiffeId, node, since, names }) =>
    names.map(({ name, sent, acknowledged, rejected }) => [
      spiffeId,
      node,
      typeUrl === denyListTypeUrl ? `deny list of ${name}` : name,
      acknowledged?.slice(0, 16) ?? "nothing",
      rejected !== undefined
        ? "rejected"
        : sent === undefined
          ? "waiting"
          : acknowledged === sent
            ? "current"
            : "behind",
      momentText(Date.parse(since), nowMillis),
    ]),
  );
  const rejections = streams.listed.flatMap(({ spiffeId, node, names }) =>
    names.flatMap(({ name, rejected }) =>
      rejected === undefined ? [] : [`${name} by ${spiffeId} (${node}): ${rejected.message}`],
    ),
  );
  const leftOut = streams.open - streams.listed.length;
  return [
    "",
    ...tableText(["stream of", "node", "name", "acknowledged", "is", "since"], rows, paint),
    ...(leftOut === 0 ? [] : [`${counted(leftOut, "stream")} more`]),
    ...rejections.flatMap((line) => fieldsText([["rejected:", line, paint.bad]])),
  ];
}

function counted(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}
