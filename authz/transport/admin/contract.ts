import type { ProviderStatus } from "#authz/custom/contract";
import type { Revision } from "#authz/rulesets/git/settings";
import type { RuleSetStatus } from "#authz/rulesets/status";
import type { LoadResult } from "#authz/rulesets/sync";
import type { KeySourceStatus } from "#identity/key-sources/contract";
import type { FaultCode } from "#platform/fault-codes";
import type { TlsMaterial } from "#platform/tls-material";

/** One listener on the status page. */
export interface ListenerStatus {
  readonly name: string;
  readonly protocol: string;
  readonly address: string;
  readonly tls: boolean;
  /** When the server's certificate ends, in milliseconds since the epoch. */
  readonly certificateNotAfterMillis: number | undefined;
}

/** What became of the configuration: the one in force, and the newest attempt if it was refused. */
export interface ConfigurationStatus {
  readonly file: string | undefined;
  readonly loadedMillis: number;
  readonly fault: { readonly atMillis: number; readonly messages: readonly string[] } | undefined;
}

export interface StatusPage {
  readonly version: string;
  readonly node: string;
  readonly startedMillis: number;
  /** True from the first sign of the end. */
  readonly ending: boolean;
  readonly rules: RuleSetStatus;
  readonly listeners: readonly ListenerStatus[];
  /** Where the keys of tokens come from, as far as the rules in force name them. */
  readonly issuers?: readonly KeySourceStatus[];
  /** The extension providers that the rules in force define. */
  readonly providers?: readonly ProviderStatus[];
  /** The certificate authority, as it tells of itself; undefined where there is none. */
  readonly authority?: object | undefined;
  /** The deny list, and where it comes from; undefined: nothing says where from. `ready`: it is there, or need not be. */
  readonly revocations?: { readonly ready: boolean } | undefined;
  readonly configuration: ConfigurationStatus;
  /** Log lines dropped because nobody read them. */
  readonly droppedLogLines: number;
  /** Conditions that an operator should look at, one line each. */
  readonly warnings: readonly string[];
}

/** An explanation, or why there is none. `status` is the HTTP status of a refusal: 400 (bad question) or 503 (no rules yet, or none that may decide). */
export type ExplainAnswer =
  | { readonly ok: true; readonly explanation: Readonly<Record<string, unknown>> }
  | { readonly ok: false; readonly status: 400 | 503; readonly code: string; readonly message: string };

/** What came of asking the source of the policies now. */
export interface SyncAnswer {
  /** The newest state of the source is in force. */
  readonly ok: boolean;
  readonly result: LoadResult;
  readonly digest: string | undefined;
  readonly commit?: string;
  readonly subject?: string;
  readonly author?: string;
  readonly signer?: string | undefined;
  /** When the pin of this commit ends. */
  readonly pinnedUntilMillis?: number | undefined;
  readonly builtMillis?: number;
  readonly expiresMillis?: number;
  /** Why the newest state is not in force: the fault, and its code where it has one. */
  readonly code?: FaultCode | undefined;
  readonly message: string | undefined;
  /** The commit that was refused, where it is a commit's fault. */
  readonly refused?: Revision | undefined;
}

export interface PinQuestion {
  /** Its name, or its first seven digits or more. */
  readonly commit: string;
  readonly forSeconds: number;
}

/** What the admin API tells and does; it knows nothing else. */
export interface AdminParts {
  status(): StatusPage;
  metrics(): Promise<{ readonly contentType: string; readonly text: string }>;
  /** A request described in JSON, explained by the rules in force. */
  explain(description: unknown): ExplainAnswer | Promise<ExplainAnswer>;
  /** Reads configuration, certificates and policies again; what is wrong comes back as messages. */
  reload(): Promise<{ readonly ok: boolean; readonly messages: readonly string[] }>;
  /** Puts a commit in force for some time. */
  pin(wanted: PinQuestion): Promise<SyncAnswer>;
  /** Ends a pin, and asks the source of the policies. */
  unpin(): Promise<SyncAnswer>;
  /** Asks the source of the policies now. */
  sync(): Promise<SyncAnswer>;
}

/**
 * Who may do what at one door. `open`: everybody who can connect. `credential`: with the bearer token, or with a client
 * certificate where the door asks for one. `closed`: nobody.
 */
export interface AdminDoor {
  readonly reads: "open" | "credential";
  readonly writes: "open" | "credential" | "closed";
  /**
   * Names that a request's Host may carry, without port, when it comes without a credential. A page in a browser can be made to
   * reach a loopback port under its own name (DNS rebinding); it cannot say another name than its own. Undefined: not checked.
   */
  readonly hosts: ReadonlySet<string> | undefined;
  /** The bearer token. */
  readonly token: () => Uint8Array | undefined;
  readonly tls: TlsMaterial | undefined;
}
