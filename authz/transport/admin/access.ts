import type { FaultCode } from "#platform/fault-codes";
import { hostName } from "#platform/host-name";
import { secretsEqual } from "#platform/secret";
import type { AdminDoor } from "./contract.ts";

/** Whether a request is a read, a write, or one of the two probes that need no credential. */
export type Need = "probe" | "read" | "write";

/** What access depends on in a request. */
export interface Presented {
  readonly host: string | undefined;
  readonly origin: string | undefined;
  readonly site: string | undefined;
  readonly authorization: string | undefined;
  /** A client certificate was verified, and its names are allowed. */
  readonly certified: boolean;
}

export interface AccessFault {
  readonly status: 401 | 403;
  readonly code: FaultCode;
  readonly message: string;
}

/** Why a request may not pass; undefined when it may. */
export function accessFault(door: AdminDoor, need: Need, presented: Presented): AccessFault | undefined {
  const credential = presented.certified || hasToken(door, presented.authorization);
  // ORDER: a browser's request is recognised first, so that a page learns nothing else, not even which paths there are.
  if (!credential) {
    if (door.hosts !== undefined && !door.hosts.has(hostName(presented.host))) {
      return {
        status: 403,
        code: "admin/foreign-host",
        message:
          "the Host header names another machine than this address: ask by the address that the admin API listens on",
      };
    }
    if (presented.origin !== undefined || (presented.site !== undefined && presented.site !== "none")) {
      return { status: 403, code: "admin/foreign-origin", message: "web pages may not ask without a credential" };
    }
  }
  if (need === "probe") return undefined;
  const rule = need === "read" ? door.reads : door.writes;
  if (rule === "open" || (rule === "credential" && credential)) return undefined;
  if (rule === "closed") {
    return {
      status: 403,
      code: "admin/closed",
      message: "writes are taken at the admin socket, or with a token file or mutual TLS configured",
    };
  }
  return { status: 401, code: "admin/credential", message: "a bearer token or a client certificate is needed" };
}

function hasToken(door: AdminDoor, authorization: string | undefined): boolean {
  const expected = door.token();
  const presented = /^Bearer +([^\s]+)$/i.exec(authorization ?? "")?.[1];
  if (expected === undefined || presented === undefined) return false;
  return secretsEqual(expected, Buffer.from(presented, "latin1"));
}
