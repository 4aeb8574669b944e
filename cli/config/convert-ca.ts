import { parseAddress } from "#platform/address";
import { caDefaults } from "./ca-defaults.ts";
import type { CaConfig, CaIssuerConfig, RawCa, RawCaIssuer } from "./ca-model.ts";

/** Fills in what the section does not say and makes its paths absolute (`file`). The input passed every check. */
export function convertCa(raw: RawCa, file: (path: string) => string): CaConfig {
  const optionalFile = (path: string | undefined) => (path === undefined ? undefined : file(path));
  return {
    trustDomain: raw.trustDomain,
    store: file(raw.store),
    keyEncryptionKeyFile: optionalFile(raw.keyEncryptionKeyFile),
    serverNames: raw.serverNames ?? [],
    grpc:
      raw.grpc === undefined
        ? undefined
        : {
            address: parseAddress(raw.grpc.address)!,
            plaintext: raw.grpc.plaintext ?? false,
            sdsKeys: raw.grpc.sdsKeys ?? false,
          },
    http: raw.http === undefined ? undefined : { address: parseAddress(raw.http.address)! },
    socket: optionalFile(raw.socket),
    admins: raw.admins ?? [],
    issuers: (raw.issuers ?? []).map((issuer) => convertIssuer(issuer, file)),
    leaf: { ...caDefaults.leaf, ...raw.leaf },
    issuing: { ...caDefaults.issuing, ...raw.issuing },
    csrNames: raw.csrNames ?? caDefaults.csrNames,
    renewalGraceSeconds: raw.renewalGraceSeconds ?? caDefaults.renewalGraceSeconds,
    limits: { ...caDefaults.limits, ...raw.limits },
    blockedKeysFile: optionalFile(raw.blockedKeysFile),
  };
}

function convertIssuer(
  { issuer, audiences, jwksUri, jwksFile }: RawCaIssuer,
  file: (path: string) => string,
): CaIssuerConfig {
  const keys: CaIssuerConfig["keys"] =
    jwksUri !== undefined
      ? { kind: "uri", uri: jwksUri }
      : jwksFile !== undefined
        ? { kind: "file", path: file(jwksFile) }
        : { kind: "discovery" };
  return { issuer, audiences: audiences ?? caDefaults.audiences, keys };
}
