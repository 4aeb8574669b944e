import type { GeneralName } from "#ca/x509/contract";
import { shownBytes, shownText } from "./bytes.ts";
import { keyUsageBits } from "./read-extensions.ts";

/** For messages: a name with its kind. Equal names are shown alike, and different ones unless they are very long. */
export function shownName(name: GeneralName): string {
  if (name.kind === "other") return `a name of the tag ${name.tag}`;
  if (name.kind === "ip") return `ip ${shownBytes(name.bytes)}`;
  return `${name.kind} ${shownText(name.value)}`;
}

/** For messages: the names of the bits of a key usage. */
export function shownUsage(bits: number): string {
  const names = Object.entries(keyUsageBits).flatMap(([name, bit]) => ((bits & bit) !== 0 ? [name] : []));
  if (bits >= keyUsageBits.decipherOnly << 1) names.push("bits without a name");
  return names.join(", ") || "nothing";
}
