import type { CheckEnvironment, GrpcCheck, HttpCheck } from "#authz/check/contract";
import type { RuleSource } from "#authz/rulesets/build";
import type { BundleSettings } from "#authz/rulesets/bundle/settings";
import type { GitSettings } from "#authz/rulesets/git/settings";
import type { SyncOptions } from "#authz/rulesets/sync";
import type { ExplainAnswer, StatusPage } from "#authz/transport/admin/contract";
import type { DenyList } from "#identity/deny-list/deny-list";
import type { Address } from "#platform/address";
import type { Clock } from "#platform/clock";
import type { Log, LogOutput } from "#platform/log";
import type { Metrics } from "#platform/metrics";
import type { Timers } from "#platform/timers";
import type { RuleSet } from "#policy-compiler/ruleset/model";
import { type ConfigFinding, renderFinding } from "../config/codes.ts";
import type { LoadedConfig } from "../config/load.ts";
import type { DirectoryPolicies } from "../config/model.ts";
import type { AuthoritySwitch } from "./authority/switch.ts";
import type { Outside, OutsideParts } from "./outside.ts";
import type { Revocations } from "./revocations/contract.ts";
import type { RevocationsParts } from "./revocations/create.ts";

/** What the service is put together from. */
export interface ServiceParts {
  /** The configuration, read anew at every call. */
  readonly loadConfig: () => Promise<LoadedConfig>;
  readonly configFile: string | undefined;
  readonly version: string;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly nextId: () => string;
  readonly log: LogOutput;
  readonly metrics: Metrics;
  readonly createGrpcCheck: (environment: CheckEnvironment) => GrpcCheck;
  readonly createHttpCheck: (environment: CheckEnvironment) => HttpCheck;
  readonly createSource: (policies: DirectoryPolicies) => RuleSource;
  readonly createGitSource: (settings: GitSettings, log: Log) => Promise<RuleSource>;
  readonly createBundleSource: (settings: BundleSettings, log: Log) => Promise<RuleSource>;
  readonly prepare: SyncOptions["prepare"];
  readonly createOutside: (parts: Omit<OutsideParts, "environment">) => Outside;
  /** The certificate authority, whose registrations are those of the rules in force. */
  readonly createAuthority: (
    ruleSet: () => RuleSet | undefined,
    onDenyList: (list: DenyList) => void,
  ) => AuthoritySwitch;
  /** Where the deny list comes from. */
  readonly createRevocations: (given: Pick<RevocationsParts, "onList">) => Revocations;
  /** Explains a described request by the rules in force. */
  readonly explain: (description: unknown, environment: CheckEnvironment) => ExplainAnswer | Promise<ExplainAnswer>;
}

export interface ReloadResult {
  readonly ok: boolean;
  readonly messages: readonly string[];
}

export interface Service {
  /** Where each listener listens, by name. */
  addresses(): ReadonlyMap<string, Address>;
  adminAddresses(): readonly string[];
  /** Where webhooks are taken. */
  webhookAddress(): Address | undefined;
  /** Doors of the certificate authority. */
  authorityAddresses(): ReturnType<AuthoritySwitch["addresses"]>;
  status(): StatusPage;
  /**
   * Reads configuration, certificates and policies again, and has the keys of issuers fetched anew, which is not waited for. What is wrong changes
   * nothing but the status. One at a time.
   */
  reload(): Promise<ReloadResult>;
  /** Says that the end is near, waits for proxies to notice, finishes what runs, and cuts off what is left at the deadline. */
  stop(patience: { readonly lingerMillis: number; readonly deadlineMillis: number }): Promise<void>;
}

/** Configuration faults at the start; nothing runs. */
export class ConfigRefused extends Error {
  readonly findings: readonly ConfigFinding[];
  readonly messages: readonly string[];

  constructor(findings: readonly ConfigFinding[]) {
    const messages = findings.map(renderFinding);
    super(messages.join("\n"));
    this.name = "ConfigRefused";
    this.findings = findings;
    this.messages = messages;
  }
}
