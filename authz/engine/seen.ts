import { addressText } from "#policy-compiler/conditions/address-text";
import { fromByteString } from "#policy-compiler/ruleset/byte-string";
import type { Attribute } from "#policy-compiler/ruleset/model";
import { type Maybe, type RequestAttributes, UNKNOWN } from "./attributes.ts";
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
      return shown(request[attribute.kind], ({ bytes }) => addressText(bytes));
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
