import type { FaultCode } from "#platform/fault-codes";
import { hostName } from "#platform/host-name";

/** What a route wants. `caller`: the core looks at the credentials itself. `socket`: an operator, at the Unix socket. */
export type Need = "public" | "caller" | "auditor" | "operator" | "socket";

export interface AccessFault {
  readonly status: 401 | 403;
  readonly code: FaultCode;
  readonly message: string;
}

/**
 * Why a request may not pass, as far as its fields tell. A page in a browser may ask nothing at all, with a credential or without: certificates of a browser go
 * with its requests unasked. Without a credential the Host must be one of `hosts` (undefined: any), for a page can be made to reach a loopback port under its
 * own name (DNS rebinding).
 */
export function browserFault(
  presented: {
    readonly host: string | undefined;
    readonly origin: string | undefined;
    readonly site: string | undefined;
    readonly credential: boolean;
  },
  hosts: ReadonlySet<string> | undefined,
): AccessFault | undefined {
  if (presented.origin !== undefined || (presented.site !== undefined && presented.site !== "none"))
    return { status: 403, code: "admin/foreign-origin", message: "web pages may not ask the authority" };
  if (!presented.credential && hosts !== undefined && !hosts.has(hostName(presented.host)))
    return {
      status: 403,
      code: "admin/foreign-host",
      message: "the Host header is none of the authority's names: ask by one of `ca.serverNames`, or add it there",
    };
  return undefined;
}

/** Why a caller of this role may not have what it asks for. `credential`: it brought one, whatever it is worth. */
export function roleFault(
  need: "auditor" | "operator" | "socket",
  role: "operator" | "auditor" | undefined,
  { credential, operatorSocket }: { readonly credential: boolean; readonly operatorSocket: boolean },
): AccessFault | undefined {
  if (role === undefined && !credential && !operatorSocket)
    return { status: 401, code: "admin/credential", message: "a client certificate or a bearer token is needed" };
  if (role === undefined)
    return { status: 403, code: "ca-door/role", message: "the caller is no administrator of the authority" };
  if (need !== "auditor" && role !== "operator")
    return { status: 403, code: "ca-door/role", message: "an auditor may only read" };
  if (need === "socket" && !operatorSocket)
    return {
      status: 403,
      code: "admin/closed",
      message: "this is taken at the Unix socket of the administration alone",
    };
  return undefined;
}
