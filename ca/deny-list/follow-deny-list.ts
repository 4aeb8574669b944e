import type { Certificate } from "#ca/x509/contract";
import type { DenyList } from "#identity/deny-list/deny-list";
import type { Clock } from "#platform/clock";
import { CodedError, messageOf } from "#platform/coded-error";
import type { FaultCode } from "#platform/fault-codes";
import type { Log } from "#platform/log";
import type { DenyListFile } from "./state-file.ts";
import { verifyDenyList } from "./verify-deny-list.ts";

/** What a connection to the authority tells. */
export interface DenyListEvents {
  /** The authority sent this. Answers why it is refused, in one line; undefined: it is in force. */
  update(signed: Uint8Array): string | undefined;
  connected(): void;
  /** `reason`: one line. */
  disconnected(reason: string): void;
}

/** A list that was not taken, or a file that was not of use. */
export interface DenyListFault {
  readonly code: FaultCode;
  readonly message: string;
  readonly atMillis: number;
}

/** What is known of the list, for status, warnings and metrics. */
export interface DenyListStatus {
  readonly trustDomain: string;
  /** Undefined: none was ever there. */
  readonly list:
    | {
        readonly sequence: number;
        readonly issuedMillis: number;
        readonly certificates: number;
        readonly identities: number;
        /** `disk`: it was kept from before, and the authority has not sent one since the start. */
        readonly from: "authority" | "disk";
      }
    | undefined;
  readonly connected: boolean;
  /** Since when it is connected, or is not. */
  readonly sinceMillis: number;
  /** Why it is not connected; undefined: it is, or it was not tried yet. */
  readonly reason: string | undefined;
  /** What was refused last, until one is taken. */
  readonly refused: DenyListFault | undefined;
  /** Lists that were refused since the start. */
  readonly refusals: number;
  /** Why the list in force is not on the disk. */
  readonly unkept: DenyListFault | undefined;
}

export interface DenyListFollower {
  /** The newest good one. */
  current(): DenyList | undefined;
  status(): DenyListStatus;
  /** What the connection calls. */
  readonly events: DenyListEvents;
  /** Takes what the disk holds, if nothing is held yet; it is verified by the anchors of now. Never rejects. */
  load(): Promise<void>;
  /** Resolves when what is held is on the disk, or cannot be written. */
  settled(): Promise<void>;
}

export interface DenyListFollowerParts {
  readonly trustDomain: string;
  /** Of the trust domain, as they are now. */
  readonly anchors: () => readonly Certificate[];
  /** Of the trust domain, and in force already; undefined: none is. */
  readonly held: DenyList | undefined;
  readonly file: DenyListFile;
  readonly clock: Clock;
  readonly log: Log;
  /** Another list is in force. */
  readonly onList: (list: DenyList) => void;
}

/**
 * Holds the newest good deny list of a trust domain. INVARIANT: what is not verified, or older, changes nothing but the status; and what is held is given up for nothing but a newer one: an
 * authority that is away, or says that it has none, revokes no revocation.
 */
export function createDenyListFollower(parts: DenyListFollowerParts): DenyListFollower {
  const { trustDomain, file, clock, log } = parts;
  let held: { readonly list: DenyList; readonly from: "authority" | "disk" } | undefined = parts.held && {
    list: parts.held,
    from: "disk",
  };
  let connection: Pick<DenyListStatus, "connected" | "sinceMillis" | "reason"> = {
    connected: false,
    sinceMillis: clock.nowMillis(),
    reason: undefined,
  };
  let refused: DenyListFault | undefined;
  let refusals = 0;
  let unkept: DenyListFault | undefined;
  let writing: Promise<void> | undefined;
  let unwritten: Uint8Array | undefined;

  const refuse = (code: FaultCode, message: string) => {
    refusals++;
    // A server that sends the same again, or a disk that is looked at again, is told of once.
    if (refused?.code !== code || refused.message !== message) log.warn({ code, reason: message }, "deny list refused");
    refused = { code, message, atMillis: clock.nowMillis() };
  };
  const hold = (list: DenyList, from: "authority" | "disk") => {
    const known = held?.list.sequence;
    held = { list, from };
    refused = undefined;
    if (list.sequence !== known) {
      const { sequence, certificates, identities } = list;
      const counts = { certificates: certificates.length, identities: identities.length };
      log.info({ trustDomain, sequence, ...counts, from }, "deny list in force");
    }
    parts.onList(list);
  };
  const verify = (bytes: Uint8Array, asOf: Parameters<typeof verifyDenyList>[1]["asOf"]) =>
    verifyDenyList(bytes, { trustDomain, anchors: parts.anchors(), heldSequence: held?.list.sequence, asOf });
  /** One at a time, and of those that came meanwhile the last. */
  const write = async () => {
    for (let next = unwritten; next !== undefined; next = unwritten) {
      unwritten = undefined;
      try {
        await file.write(next);
        unkept = undefined;
      } catch (fault) {
        const message = messageOf(fault);
        if (unkept?.message !== message) log.warn({ reason: message }, "the deny list is not kept");
        unkept = { code: "deny-list/state-file", message, atMillis: clock.nowMillis() };
      }
    }
    writing = undefined;
  };
  const connect = (connected: boolean, reason?: string) => {
    const sinceMillis = connection.connected === connected ? connection.sinceMillis : clock.nowMillis();
    connection = { connected, sinceMillis, reason };
  };

  return {
    current: () => held?.list,
    status: () => ({
      trustDomain,
      list: held && {
        sequence: held.list.sequence,
        issuedMillis: held.list.issuedMillis,
        certificates: held.list.certificates.length,
        identities: held.list.identities.length,
        from: held.from,
      },
      ...connection,
      refused,
      refusals,
      unkept,
    }),
    events: {
      update(signed) {
        connect(true);
        const verified = verify(signed, { nowMillis: clock.nowMillis() });
        if (!verified.ok) {
          refuse(verified.code, verified.message);
          return verified.message;
        }
        hold(verified.list, "authority");
        unwritten = signed;
        writing ??= write();
        return undefined;
      },
      connected: () => connect(true),
      disconnected: (reason) => connect(false, reason),
    },
    async load() {
      if (held !== undefined) return;
      try {
        const bytes = await file.read();
        // The authority may have been faster.
        if (bytes === undefined || held !== undefined) return;
        const verified = verify(bytes, "issue");
        if (verified.ok) hold(verified.list, "disk");
        else refuse(verified.code, `of the list that was kept: ${verified.message}`);
      } catch (fault) {
        refuse(fault instanceof CodedError ? fault.code : "deny-list/state-file", messageOf(fault));
      }
    },
    settled: async () => writing,
  };
}
