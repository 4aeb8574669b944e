import type { WorkloadClaim } from "#authz/check/contract";
import type { GitSettings } from "#authz/rulesets/git/settings";
import type { StalenessSettings } from "#authz/rulesets/staleness";
import type { AlgorithmFit } from "#identity/token/verification";
import type { Address } from "#platform/address";
import type { LogLevel } from "#platform/log";
import type { TlsFiles } from "#platform/tls-material";
import type { CaConfig, RawCa } from "./ca-model.ts";
import type { RawGit } from "./convert-git.ts";

/** A configuration that was found valid. Paths are absolute. */
export interface ServiceConfig {
  readonly listeners: readonly ListenerConfig[];
  readonly policies: DirectoryPolicies | { readonly git: GitPolicies };
  readonly admin: AdminConfig | undefined;
  readonly jwt: JwtConfig;
  /** Undefined: there is no certificate authority here. */
  readonly ca: CaConfig | undefined;
  /** Undefined: no authority elsewhere is followed. */
  readonly revocations: RevocationsConfig | undefined;
  readonly logging: { readonly level: LogLevel };
}

export interface DirectoryPolicies {
  readonly directory: string;
}

export interface GitPolicies {
  readonly settings: GitSettings;
  /** Undefined: rules never get too old. */
  readonly staleness: StalenessSettings | undefined;
}

export interface ListenerConfig {
  readonly name: string;
  readonly protocol: "grpc" | "http";
  readonly address: Address;
  readonly unixMode: number;
  readonly tls: TlsFiles | undefined;
  readonly peerIdentity: "verified" | "none" | undefined;
  readonly proxyProtocol: boolean;
  readonly workload: WorkloadClaim | undefined;
  readonly destination: { readonly address: string; readonly port: number } | undefined;
  readonly pathPrefix: string;
  readonly attributeHeaders: boolean;
  /** Lower case. */
  readonly upstreamHeaders: readonly string[];
  readonly secretFile: string | undefined;
  readonly explainToClient: boolean;
  readonly deadlineMillis: number;
  readonly maxMessageBytes: number;
}

/** The deny list of an authority elsewhere. */
export interface RevocationsConfig {
  readonly trustDomain: string;
  /** TCP. */
  readonly address: Address;
  readonly serverName: string | undefined;
  readonly bundleFile: string;
  readonly certificateFile: string;
  readonly keyFile: string;
  readonly stateFile: string;
  readonly required: boolean;
}

export interface AdminConfig {
  readonly address: Address | undefined;
  readonly socket: string | undefined;
  readonly tls: TlsFiles | undefined;
  readonly tokenFile: string | undefined;
}

/** Tokens and their issuers. */
export interface JwtConfig {
  readonly algorithmFit: AlgorithmFit;
  readonly maxTokenBytes: number;
  readonly cache: { readonly maxEntries: number; readonly maxBytes: number };
  readonly refreshSeconds: number;
  readonly maxStaleSeconds: number;
  /** Each is a block. */
  readonly blockedCidrs: readonly string[];
  readonly caFile: string | undefined;
}

/** What a file says, once the schema has passed it: every key that is required is there, every value has its type. */
export interface RawConfig {
  readonly listeners: readonly RawListener[];
  readonly policies: { readonly directory?: string; readonly git?: RawGit };
  readonly admin?: {
    readonly address?: string;
    readonly socket?: string;
    readonly tls?: TlsFiles;
    readonly tokenFile?: string;
  };
  readonly jwt?: Partial<Omit<JwtConfig, "cache" | "caFile">> & {
    readonly cache?: Partial<JwtConfig["cache"]>;
    readonly caFile?: string;
  };
  readonly ca?: RawCa;
  readonly revocations?: RawRevocations;
  readonly logging?: { readonly level?: LogLevel };
}

export interface RawRevocations extends Omit<RevocationsConfig, "address" | "serverName" | "required"> {
  readonly address: string;
  readonly serverName?: string;
  readonly required?: boolean;
}

export interface RawListener {
  readonly name: string;
  readonly protocol: "grpc" | "http";
  readonly address: string;
  readonly tls?: TlsFiles;
  readonly peerIdentity?: "verified" | "none";
  readonly proxyProtocol?: boolean;
  readonly workload?: Omit<WorkloadClaim, "labels"> & { readonly labels?: Readonly<Record<string, string>> };
  readonly destination?: { readonly address: string; readonly port: number };
  readonly pathPrefix?: string;
  readonly attributeHeaders?: boolean;
  readonly upstreamHeaders?: readonly string[];
  readonly secretFile?: string;
  readonly explainToClient?: boolean;
  readonly explainToClientForce?: boolean;
  readonly deadlineMillis?: number;
  readonly maxMessageBytes?: number;
  readonly socketMode?: string;
}
