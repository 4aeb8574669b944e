import type { EntryShape } from "#ca/transport/http/shapes";
import type { CommandContext } from "../command.ts";
import { shapedList } from "./answers.ts";
import { openClient } from "./client.ts";
import { spanText } from "./duration.ts";
import { fieldsText, jsonText, linesText } from "./paint.ts";
import type { FormatOptions, ServiceOptions } from "./service-options.ts";

/** `garita ca entries`: the registrations in force. */
export async function entries(options: ServiceOptions & FormatOptions, context: CommandContext): Promise<void> {
  const client = await openClient(options, context);
  const members = {
    name: "text",
    source: "object",
    spiffeId: "list",
    callers: "list",
    dnsNames: "list",
    keyKinds: "list",
  } as const;
  const found = shapedList<EntryShape>(await client.get("/v1/ca/entries"), client, "entries", members);
  if (options.format === "json") context.write(jsonText({ entries: found }));
  else
    context.write(
      found.length === 0 ? "none: nobody can have a certificate, not even by the operator\n" : entriesText(found),
    );
}

function entriesText(found: readonly EntryShape[]): string {
  return linesText(
    found.flatMap((entry, i) => [
      ...(i === 0 ? [] : [""]),
      ...fieldsText([[idText(entry), `(${entry.name}, ${entry.source.file}:${entry.source.line})`]]),
      ...fieldsText(
        [
          ...entry.callers.map((caller) => ["for", callerText(caller)] as const),
          ["DNS names", entry.dnsNames.join(", ") || undefined],
          ["keys", entry.keyKinds.join(", ") || undefined],
          ["lifetime", lifetimeText(entry)],
        ],
        "  ",
      ),
    ]),
  );
}

/** A claim that stands in the ID is written as in the document: `{[kubernetes.io][namespace]}`. */
function idText({ spiffeId }: EntryShape): string {
  return spiffeId.map((part) => (part.kind === "text" ? part.text : `{${claimText(part.path)}}`)).join("");
}

function claimText(path: readonly string[]): string {
  return path.length === 1 ? path.join("") : path.map((name) => `[${name}]`).join("");
}

function callerText(caller: Readonly<Record<string, unknown>>): string {
  switch (caller["kind"]) {
    case "spiffe-id":
      return String(caller["id"]);
    case "join-token":
      return "whoever has a join token for it";
    case "jwt": {
      const claims = (Array.isArray(caller["claims"]) ? caller["claims"] : []) as readonly {
        readonly path: readonly string[];
        readonly values: readonly string[];
      }[];
      const said = claims.map(({ path, values }) => ` and ${claimText(path)} = ${values.join(" or ")}`);
      return `tokens of ${String(caller["issuer"])}${said.join("")}`;
    }
    default:
      return JSON.stringify(caller);
  }
}

function lifetimeText({ ttlSeconds, maxTtlSeconds }: EntryShape): string | undefined {
  const parts = [
    ttlSeconds === undefined ? undefined : spanText(ttlSeconds * 1000),
    maxTtlSeconds === undefined ? undefined : `at most ${spanText(maxTtlSeconds * 1000)}`,
  ];
  return parts.filter((part) => part !== undefined).join(", ") || undefined;
}
