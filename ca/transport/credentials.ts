import type { Credentials } from "#ca/callers/contract";
import type { DoorConnection } from "#platform/door/connections";
import type { FaultCode } from "#platform/fault-codes";

export type ReadCredentials =
  | { readonly ok: true; readonly credentials: Credentials }
  | { readonly ok: false; readonly code: FaultCode; readonly message: string };

const tokenLimitBytes = 16 * 1024;

/**
 * What a request brought. `authorizations`: the value of each Authorization field that it had. Several are refused, for it would be a guess which one
 * was meant; so is what is no token of RFC 6750 §2.1. The message never holds anything of a value.
 */
export function readCredentials(connection: DoorConnection, authorizations: readonly string[]): ReadCredentials {
  const { clientCertificates, remoteAddress, unixSocket } = connection;
  // The one Unix socket that credentials come over is the administration's.
  const connected = { clientCertificates, remoteAddress, operatorSocket: unixSocket };
  const [authorization] = authorizations;
  if (authorization === undefined) return { ok: true, credentials: { ...connected, bearer: undefined } };
  if (authorizations.length > 1) return fault("more than one authorization");
  if (authorization.length > tokenLimitBytes) return fault("the authorization is longer than 16 KiB");
  const bearer = /^Bearer +([A-Za-z0-9._~+/-]+=*)$/i.exec(authorization)?.[1];
  if (bearer === undefined) return fault("the authorization is no bearer token");
  return { ok: true, credentials: { ...connected, bearer } };
}

function fault(message: string): ReadCredentials {
  return { ok: false, code: "ca-door/authorization", message };
}
