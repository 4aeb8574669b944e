import type { CheckAttributes } from "#authz/check/attributes/check-attributes";
import type { Workload } from "#authz/engine/attributes";
import type { WorkloadView } from "#authz/engine/contract";
import type { Decision } from "#authz/engine/decision";
import type { EditedRequest } from "#authz/engine/edited-request";
import type {
  CallMetadata,
  CheckEnvironment,
  FailedOpen,
  ListenerSettings,
  RemainingMillis,
  Snapshot,
} from "./contract.ts";
import type { ClientHeader, Found, Verdict } from "./verdict.ts";
import type { CheckRequest } from "./wire/check-request.ts";

/** One check as its door read it. */
export interface Question {
  readonly request: CheckRequest;
  /** The message that `request` was read from, where the check came by gRPC. */
  readonly message: Uint8Array | undefined;
  readonly metadata: CallMetadata;
  readonly listener: ListenerSettings;
  /** What the door carries: gRPC brings `source.principal` and can be told another `:path`; the HTTP service neither. */
  readonly door: "grpc" | "http";
}

/** What the stages work with: pinned when the check begins, equal for all of them. */
export interface StageContext {
  readonly question: Question;
  readonly snapshot: Snapshot;
  readonly environment: Pick<CheckEnvironment, "nowMillis" | "tokens">;
  readonly remainingMillis: RemainingMillis;
  readonly workload: Workload;
  readonly view: WorkloadView;
}

/** Where a check stands between two stages. A stage makes a new one, or ends the check with a verdict. */
export interface Progress {
  readonly attributes: CheckAttributes;
  /** Undefined: nothing has been edited, or it is a connection. */
  readonly edited: EditedRequest | undefined;
  /** What the client is to get whatever the later stages say: CUSTOM providers ask for it. */
  readonly clientHeaders: readonly ClientHeader[];
  /** For the log, if the request is allowed in the end. */
  readonly detail: string | undefined;
  readonly failedOpen: FailedOpen | undefined;
  /** Of the CUSTOM rule whose provider was asked, if it matched for want of a condition's value. */
  readonly conditionFaults: Decision["conditionFaults"];
}

export type StageResult = { readonly ended: Verdict } | { readonly ended?: undefined; readonly progress: Progress };

/** What a verdict tells of a check that got so far. */
export function foundBy({ workload }: StageContext, { attributes, clientHeaders, conditionFaults }: Progress): Found {
  return { workload, attributes, clientHeaders, conditionFaults };
}
