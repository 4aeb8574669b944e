import type { RevocationsStatus } from "./contract.ts";

/** What an operator should know of the deny list, one line each. */
export function revocationWarnings(status: RevocationsStatus | undefined): string[] {
  if (status === undefined || status.source === "own") return [];
  const { list, connected, sinceMillis, reason, refused, unkept } = status;
  const since = sinceMillis === undefined ? "" : ` since ${new Date(sinceMillis).toISOString()}`;
  const why = reason === undefined ? "" : `: ${reason}`;
  const away = connected === true ? [] : [`not connected to the authority${since}${why}`];
  const lacking = list === undefined ? ["there is none yet, so that nothing is refused for being revoked"] : [];
  const awaited = ["there is none yet, so that every peer with a certificate is refused"];
  return [
    ...(status.ready ? lacking : awaited),
    ...away,
    ...(refused === undefined ? [] : [`one was refused: ${refused.message} [${refused.code}]`]),
    ...(unkept === undefined ? [] : [`the one in force is not kept: ${unkept.message}`]),
  ].map((warning) => `deny list: ${warning}`);
}
