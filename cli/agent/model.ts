import type { Attestation } from "#ca/agent/attest";
import type { FileSettings } from "#ca/agent/certificate-files";
import type { IdentitySettings } from "#ca/agent/contract";
import type { KeyKind } from "#ca/x509/contract";
import type { Address } from "#platform/address";
import type { LogLevel } from "#platform/log";

/** A configuration of the agent, found valid. Paths are absolute. */
export interface AgentConfig {
  readonly authority: {
    readonly address: Address & { readonly kind: "tcp" };
    readonly serverName: string | undefined;
    readonly serverSpiffeId: string;
  };
  readonly trustDomain: string;
  readonly stateFolder: string;
  readonly statusSocket: string | undefined;
  /** Each with a SPIFFE ID, a socket and files of its own. */
  readonly identities: readonly AgentIdentityConfig[];
  readonly logging: { readonly level: LogLevel };
}

export interface AgentIdentityConfig extends IdentitySettings {
  readonly socket: string;
  readonly socketMode: number;
  readonly attestation: Attestation;
  readonly files: FileSettings | undefined;
}

/** What a file says, once the schema has passed it. */
export interface RawAgent {
  readonly authority: {
    readonly address: string;
    readonly serverName?: string;
    readonly serverSpiffeId?: string;
    readonly bundleFile?: string;
    readonly rootFingerprint?: string;
  };
  readonly stateFolder: string;
  readonly statusSocket?: string;
  readonly identities: readonly RawAgentIdentity[];
  readonly logging?: { readonly level?: LogLevel };
}

export interface RawAgentIdentity {
  readonly spiffeId: string;
  readonly socket: string;
  readonly socketMode?: string;
  readonly joinTokenFile?: string;
  readonly jwtFile?: string;
  readonly keyKind?: KeyKind;
  readonly ttlSeconds?: number;
  readonly files?: {
    readonly folder: string;
    readonly key?: string;
    readonly chain?: string;
    readonly bundle?: string;
    readonly keyMode?: string;
    readonly mode?: string;
    readonly reload?: { readonly command: readonly string[]; readonly timeoutSeconds?: number };
  };
}
