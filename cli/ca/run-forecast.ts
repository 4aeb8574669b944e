import type { ForecastShape } from "#ca/transport/http/root-shapes";
import type { CommandContext } from "../command.ts";
import { shaped } from "./answers.ts";
import { openClient } from "./client.ts";
import { spanText } from "./duration.ts";
import { fieldsText, jsonText, linesText } from "./paint.ts";
import type { FormatOptions, ServiceOptions } from "./service-options.ts";

/** `garita ca forecast`: when proxies break if nothing is issued any more, and who breaks if an authority is removed. */
export async function forecast(options: ServiceOptions & FormatOptions, context: CommandContext): Promise<void> {
  const client = await openClient(options, context);
  const members = { proxies: "number", identities: "number", ifRemoved: "list" } as const;
  const told = shaped<ForecastShape>(await client.get("/v1/ca/forecast"), client, members);
  context.write(options.format === "json" ? jsonText(told) : forecastText(told, Date.now()));
}

function forecastText(told: ForecastShape, nowMillis: number): string {
  const { first, half, last } = told;
  if (first === undefined || half === undefined || last === undefined) return "no certificate is in use\n";
  const within = (time: string) => spanText(Math.max(0, Date.parse(time) - nowMillis));
  return linesText([
    `${counted(told.proxies, "proxy", "proxies")}, ${counted(told.identities, "identity", "identities")}`,
    ...fieldsText([
      [
        "if the authority stopped now",
        `the first proxy breaks in ${within(first.at)} (${first.spiffeId}), half by ${within(half)}, the last in ${within(last)}`,
      ],
      ...told.ifRemoved.map(({ role, keyId, proxies, identities, named }): [string, string] => [
        `if ${role === "root" ? "the root" : "the issuing authority"} ${keyId.slice(0, 8)} were removed`,
        `${counted(proxies, "proxy", "proxies")} of ${counted(identities, "identity", "identities")} at once: ${named.join(", ")}${identities > named.length ? ", …" : ""}`,
      ]),
    ]),
  ]);
}

function counted(number: number, one: string, many: string): string {
  return `${number} ${number === 1 ? one : many}`;
}
