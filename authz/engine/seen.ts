import { fromByteString } from "#policy-compiler/ruleset/byte-string";
import type { Attribute } from "#policy-compiler/ruleset/model";
import { type IpAddress, type Maybe, type RequestAttributes, UNKNOWN } from "./attributes.ts";
import { claimAt } from "./leaves/claims.ts";

/** The value of an attribute in a request, for people. Undefined: absent, or not told. */
export function seenValue(attribute: Attribute, request: RequestAttributes): string | undefined {
  switch (attribute.kind) {
    case "host":
    case "method":
    case "path":
      return shown(request.http?.[attribute.kind], fromByteString);
    case "sni":
      return shown(request.sni, fromByteString);
    case "port":
      return shown(request.destinationPort, String);
    case "peerAddress":
    case "remoteAddress":
    case "destinationAddress":
      return shown(request[attribute.kind], addressText);
    case "identity":
      return shown(request.peer, (peer) => listText([...peer.names, ...peer.opaque]));
    case "header":
      return shown(request.http?.headers.get(attribute.name), ({ lines }) => listText(lines));
    case "requestPrincipal":
      return shown(
        request.claims,
        (claims) => `${claimText(claimAt(claims, ["iss"]))}/${claimText(claimAt(claims, ["sub"]))}`,
      );
    case "claim":
      return shown(request.claims, (claims) => {
        const claim = claimAt(claims, attribute.path);
        return claim === undefined ? undefined : claimText(claim);
      });
    case "metadata":
      return shown(request.metadata(attribute.namespace, attribute.key), (value) =>
        typeof value === "string" ? fromByteString(value) : listText(value),
      );
  }
}

function shown<T>(value: Maybe<T>, text: (value: T) => string | undefined): string | undefined {
  return value === UNKNOWN || value === undefined ? undefined : text(value);
}

function listText(values: readonly string[]): string {
  return values.map(fromByteString).join(", ");
}

function claimText(claim: unknown): string {
  if (claim === undefined) return "";
  return typeof claim === "string" ? fromByteString(claim) : fromByteString(JSON.stringify(claim));
}

/** Dotted for four bytes, RFC 5952 §4 for sixteen. */
export function addressText({ bytes }: IpAddress): string {
  if (bytes.length === 4) return bytes.join(".");
  const groups = Array.from({ length: 8 }, (_, i) => (bytes[2 * i]! << 8) | bytes[2 * i + 1]!);
  let best = { start: 0, length: 1 };
  for (let start = 0; start < 8; start++) {
    let length = 0;
    while (start + length < 8 && groups[start + length] === 0) length++;
    if (length > best.length) best = { start, length };
  }
  const hex = (part: readonly number[]) => part.map((group) => group.toString(16)).join(":");
  if (best.length === 1) return hex(groups);
  return `${hex(groups.slice(0, best.start))}::${hex(groups.slice(best.start + best.length))}`;
}
