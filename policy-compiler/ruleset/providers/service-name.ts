import { parseIpAddress } from "#policy-compiler/ruleset/ip-address";

/** `[namespace/]host` of a provider's `service`. */
export interface ServiceName {
  readonly namespace: string | undefined;
  readonly host: string;
}

/**
 * Reads a provider's `service`: a domain name or an IP address, or a namespace, `/` and a domain name with a dot in it. Undefined: Istio refuses it
 * (`validateExtensionProviderService`).
 */
export function parseServiceName(text: string): ServiceName | undefined {
  const slash = text.indexOf("/");
  if (slash < 0)
    return isDomain(text) || parseIpAddress(text) !== undefined ? { namespace: undefined, host: text } : undefined;
  const namespace = text.slice(0, slash);
  const host = text.slice(slash + 1);
  if (!isNamespace(namespace) || !isHost(host)) return undefined;
  return { namespace, host };
}

const MAX_LABEL = 63;
const MAX_NAME = 255;

function isLabel(text: string): boolean {
  return text.length <= MAX_LABEL && /^[a-zA-Z0-9](?:[-a-zA-Z0-9]*[a-zA-Z0-9])?$/.test(text);
}

/** One final dot is allowed; a last label of digits alone is not. */
function isDomain(text: string): boolean {
  if (text.length === 0 || text.length > MAX_NAME) return false;
  const labels = text.split(".");
  const last = labels.at(-1)!;
  if (last !== "" && /^[0-9]+$/.test(last)) return false;
  return labels.every((label, i) => isLabel(label) || (label === "" && i === labels.length - 1 && i > 0));
}

function isNamespace(text: string): boolean {
  const plain = text.startsWith("~") ? text.slice(1) : text;
  return text !== "" && (plain === "" || plain === "*" || plain === "." || isLabel(plain));
}

function isHost(text: string): boolean {
  if (text === "*") return true;
  if (!text.includes(".")) return false;
  return isDomain(text.startsWith("*.") ? text.slice(2) : text);
}
