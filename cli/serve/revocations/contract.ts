import type { DenyListFault } from "#ca/deny-list/follow-deny-list";
import type { DenyList } from "#identity/deny-list/deny-list";
import type { RevocationsConfig } from "../../config/model.ts";

/** What is known of the deny list, for status, warnings and metrics. */
export interface RevocationsStatus {
  /** `own`: of the authority in this service. */
  readonly source: "own" | "remote";
  /** Is there a list, or is none required? */
  readonly ready: boolean;
  readonly trustDomain: string | undefined;
  /** Undefined: there was never one. */
  readonly list:
    | {
        readonly sequence: number;
        readonly ageSeconds: number;
        readonly certificates: number;
        readonly identities: number;
        /** `disk`: kept from before, and the authority has not sent one since the start. */
        readonly from: "own" | "authority" | "disk";
      }
    | undefined;
  /** Of a list from elsewhere: is the authority connected, and since when is that so? */
  readonly connected?: boolean;
  readonly sinceMillis?: number;
  /** Why it is not connected. */
  readonly reason?: string | undefined;
  /** What was refused last, until a list is taken. */
  readonly refused?: DenyListFault | undefined;
  readonly refusals?: number;
  /** Why the list in force is not kept. */
  readonly unkept?: DenyListFault | undefined;
}

/** Where the deny list of a service comes from: its own authority, one elsewhere, or nowhere. */
export interface Revocations {
  /** The newest good one; undefined: there was never one, or nothing says where from. */
  current(): DenyList | undefined;
  /** What decisions look up: `current`, or `awaited` where there is none of the trust domain whose list is required. */
  inForce(): DenyList | "awaited" | undefined;
  /** The list of the authority in this service. */
  own(list: DenyList): void;
  /**
   * From now on the list of this authority elsewhere, or none of one; `hasOwn`: the service has its own. Resolves when a list has come, or does not for a while. What is held is given up only where
   * there is no source any more.
   */
  become(config: RevocationsConfig | undefined, hasOwn: boolean): Promise<void>;
  ready(): boolean;
  /** Undefined: nothing says where a list would come from. */
  status(): RevocationsStatus | undefined;
  /** One line each. */
  warnings(): readonly string[];
  stop(): Promise<void>;
}
