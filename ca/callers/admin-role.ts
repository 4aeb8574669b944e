import { quote } from "#identity/encoding/quote";
import type { AdminRole, Credentials } from "./contract.ts";
import type { MethodAnswer } from "./method.ts";

/** A workload that may administer, as configured. */
export interface Admin {
  readonly spiffeId: string;
  readonly role: AdminRole;
}

export interface AdminRoleParts {
  /** Those of the configuration in force. */
  readonly admins: () => readonly Admin[];
  /** See `createClientCertificateMethod`. */
  readonly clientCertificate: (chain: readonly Uint8Array[], nowMillis: number) => Promise<MethodAnswer>;
  /** Told of whatever `clientCertificate` throws, for the log. Must not throw. Nobody has a role then. */
  readonly onDefect: (defect: unknown) => void;
}

export interface AdminAnswer {
  /** Undefined: none. */
  readonly role: AdminRole | undefined;
  /** For the record: a SPIFFE ID, or `operator` for the socket; `nobody` where there is no proof. */
  readonly who: string;
  /** For the log: why this role, or none. Holds no credential. */
  readonly reason: string;
}

/**
 * Who may administer: whoever can open the operator's socket, as `operator`, and workloads that are listed, by their X509-SVID and exactly. A bearer token gives
 * no role, whosever it is. Listed twice, the lesser role counts. Never rejects.
 */
export function createRoleOf({ admins, clientCertificate, onDefect }: AdminRoleParts) {
  return async (credentials: Credentials, nowMillis: number): Promise<AdminAnswer> => {
    const { operatorSocket, clientCertificates } = credentials;
    if (operatorSocket) return { role: "operator", who: "operator", reason: "the operator's socket" };
    if (clientCertificates.length === 0) return nobody("no client certificate");
    let answer: MethodAnswer;
    try {
      answer = await clientCertificate(clientCertificates, nowMillis);
    } catch (defect) {
      onDefect(defect);
      return nobody("a defect of ours: see the log");
    }
    if (!answer.ok) return nobody(answer.reason);
    if (answer.caller.method !== "x509-svid") return nobody("no client certificate");
    const who = answer.caller.id.toString();
    const roles = admins().flatMap(({ spiffeId, role }) => (spiffeId === who ? [role] : []));
    if (roles.length === 0) return { role: undefined, who, reason: `${quote(who)} is not in \`ca.admins\`` };
    return { role: roles.includes("auditor") ? "auditor" : "operator", who, reason: "listed in `ca.admins`" };
  };
}

function nobody(reason: string): AdminAnswer {
  return { role: undefined, who: "nobody", reason };
}
