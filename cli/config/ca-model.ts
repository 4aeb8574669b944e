import type { AdminRole } from "#ca/service/contract";
import type { KeyKind } from "#ca/x509/contract";
import type { Address } from "#platform/address";

/** The `ca` section, found valid. Paths are absolute. */
export interface CaConfig {
  readonly trustDomain: string;
  /** Path of a file. */
  readonly store: string;
  /** Undefined: the secret is in the environment. */
  readonly keyEncryptionKeyFile: string | undefined;
  /** DNS names and IP addresses. Not empty where `grpc` with TLS or `http` is there. */
  readonly serverNames: readonly string[];
  /** `plaintext` only on a loopback address, and without `sdsKeys`. */
  readonly grpc: { readonly address: Address; readonly plaintext: boolean; readonly sdsKeys: boolean } | undefined;
  readonly http: { readonly address: Address } | undefined;
  readonly socket: string | undefined;
  /** Valid SPIFFE IDs of the trust domain, each once. */
  readonly admins: readonly { readonly spiffeId: string; readonly role: AdminRole }[];
  readonly issuers: readonly CaIssuerConfig[];
  readonly leaf: {
    readonly defaultTtlSeconds: number;
    readonly maxTtlSeconds: number;
    readonly minTtlSeconds: number;
    readonly jitterPercent: number;
    readonly backdateSeconds: number;
  };
  readonly issuing: { readonly keyKind: KeyKind; readonly lifetimeSeconds: number };
  readonly csrNames: "ignore" | "strict";
  readonly renewalGraceSeconds: number;
  readonly limits: {
    readonly perAddressPerSecond: number;
    readonly perAddressBurst: number;
    readonly perCallerPerSecond: number;
    readonly perCallerBurst: number;
    readonly inFlight: number;
    readonly waiting: number;
  };
  readonly blockedKeysFile: string | undefined;
}

/** An issuer of callers' tokens. */
export interface CaIssuerConfig {
  readonly issuer: string;
  readonly audiences: readonly string[];
  readonly keys:
    | { readonly kind: "uri"; readonly uri: string }
    | { readonly kind: "file"; readonly path: string }
    /** The issuer's discovery document tells. */
    | { readonly kind: "discovery" };
}

/** What a file says, once the schema has passed it. */
export interface RawCa {
  readonly trustDomain: string;
  readonly store: string;
  readonly keyEncryptionKeyFile?: string;
  readonly serverNames?: readonly string[];
  readonly grpc?: { readonly address: string; readonly plaintext?: boolean; readonly sdsKeys?: boolean };
  readonly http?: { readonly address: string };
  readonly socket?: string;
  readonly admins?: CaConfig["admins"];
  readonly issuers?: readonly RawCaIssuer[];
  readonly leaf?: Partial<CaConfig["leaf"]>;
  readonly issuing?: Partial<CaConfig["issuing"]>;
  readonly csrNames?: CaConfig["csrNames"];
  readonly renewalGraceSeconds?: number;
  readonly limits?: Partial<CaConfig["limits"]>;
  readonly blockedKeysFile?: string;
}

export interface RawCaIssuer {
  readonly issuer: string;
  readonly audiences?: readonly string[];
  readonly jwksUri?: string;
  readonly jwksFile?: string;
}
