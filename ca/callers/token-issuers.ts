import { utf8ByteString } from "#identity/encoding/byte-string";
import { quote } from "#identity/encoding/quote";
import type { KeySource } from "#identity/key-set/key-source";

/** Istio's `TOKEN_AUDIENCES`, which sidecars ask for. */
const defaultAudiences: readonly string[] = ["istio-ca"];

/** An issuer whose tokens prove who a caller is, as configured. */
export interface TokenIssuerConfig {
  /** The `iss` of its tokens, exactly. */
  readonly issuer: string;
  /** A token must be for one of them. Undefined: `istio-ca`. */
  readonly audiences: readonly string[] | undefined;
  /** Where its keys are: a JSON Web Key Set as text, or at an address, or where its discovery document says. */
  readonly keys:
    | { readonly kind: "inline"; readonly text: string }
    | { readonly kind: "uri"; readonly uri: string }
    | { readonly kind: "discovery" };
}

/** An issuer ready to be compared with: `issuer` and `audiences` are byte strings, as those of a parsed token are. */
export interface TokenIssuer {
  readonly issuer: string;
  /** As configured. */
  readonly name: string;
  readonly audiences: ReadonlySet<string>;
  readonly keySource: KeySource;
}

/** Issuers by their `iss` as a byte string. Immutable. */
export interface TokenIssuers {
  byIssuer(issuer: string): TokenIssuer | undefined;
  /** What a `KeySetStore` has to follow for them. Equal sources of others have equal ids. */
  readonly keySources: readonly KeySource[];
}

/**
 * Makes issuers ready. Throws a plain `Error` for what a configuration must have been checked for: an issuer that is empty or comes twice, an issuer without any
 * audience, or with an empty one.
 */
export function prepareTokenIssuers(configs: readonly TokenIssuerConfig[]): TokenIssuers {
  const issuers = new Map<string, TokenIssuer>();
  for (const config of configs) {
    const { issuer, audiences = defaultAudiences } = config;
    const bytes = utf8ByteString(issuer);
    if (issuer === "" || issuers.has(bytes)) throw new Error(`issuer ${quote(issuer)} is empty or there twice`);
    if (audiences.length === 0 || audiences.includes("")) throw new Error(`issuer ${quote(issuer)} lacks an audience`);
    issuers.set(bytes, {
      issuer: bytes,
      name: issuer,
      audiences: new Set(audiences.map(utf8ByteString)),
      keySource: keySourceOf(config),
    });
  }
  const keySources = [...new Map([...issuers.values()].map(({ keySource }) => [keySource.id, keySource])).values()];
  return { byIssuer: (issuer) => issuers.get(issuer), keySources };
}

/** The ids are those of the sources of RequestAuthentication that are equal to these and have no timeout: one store may follow both. */
function keySourceOf({ issuer, keys }: TokenIssuerConfig): KeySource {
  switch (keys.kind) {
    case "inline":
      return { kind: "inline", id: `inline ${keys.text}`, text: keys.text, name: issuer };
    case "uri":
      return { kind: "uri", id: `uri - ${keys.uri}`, uri: keys.uri, timeoutMillis: undefined };
    case "discovery": {
      const base = issuer.endsWith("/") ? issuer.slice(0, -1) : issuer;
      return { kind: "discovery", id: `discovery - ${base}`, issuer: base, timeoutMillis: undefined };
    }
  }
}
