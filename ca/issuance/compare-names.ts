import type { CsrNames } from "#ca/csr/contract";
import type { SpiffeId } from "#identity/spiffe-id";
import { cut } from "./shown-text.ts";

/**
 * Names of a request that its identity does not have: a trust domain that was configured wrongly, or an attempt. None of them comes into the
 * certificate either way. A request that names nothing differs in nothing. Texts are cut, so that a hostile request writes no long records.
 */
export function namesThatDiffer(names: CsrNames, id: SpiffeId, dnsNames: readonly string[]): readonly string[] {
  const own = id.toString();
  const differing: string[] = [];
  for (const name of names.alternativeNames) {
    if (name.kind === "uri" && name.value === own) continue;
    if (name.kind === "dns" && dnsNames.includes(name.value.toLowerCase())) continue;
    differing.push(shown(name));
  }
  for (const text of names.commonNames) {
    if (text !== "" && text !== own && !dnsNames.includes(text.toLowerCase())) differing.push(cut(`CN:${text}`));
  }
  return differing.length <= maxShown
    ? differing
    : [...differing.slice(0, maxShown), `and ${differing.length - maxShown} more`];
}

const maxShown = 8;

function shown(name: CsrNames["alternativeNames"][number]): string {
  switch (name.kind) {
    case "uri":
    case "dns":
    case "email":
      return cut(`${name.kind.toUpperCase()}:${name.value}`);
    case "ip":
      return `IP:${Buffer.from(name.bytes.subarray(0, 16)).toString("hex")}`;
    case "other":
      return `name of kind ${name.tag}`;
    default:
      return name satisfies never;
  }
}
