/** Every fault that a configuration can have, by its stable code, with a sentence for the reference. */
export const configCodes = {
  "config/missing": "There is no such file.",
  "config/unreadable": "The file cannot be read.",
  "config/syntax": "The file is not well-formed YAML, or larger than a configuration can be.",
  "config/unknown-key": "A key that does not exist at this place.",
  "config/missing-key": "A key that has to be there is missing.",
  "config/value": "A value of another type or outside of what is allowed.",
  "config/environment": "An environment override that names no key, or has a value of the wrong type.",
  "config/address": "An address that cannot be listened on.",
  "config/duplicate": "Two listeners with one name, two doors on one address, an administrator or issuer twice.",
  "config/wrong-protocol": "A key that only the other protocol knows.",
  "config/workload": "A workload that is not described completely.",
  "config/needs-proof": "Headers of anybody would be believed: mutual TLS or a shared secret is needed.",
  "config/tells-clients": "Reasons would be told to clients on other machines.",
  "config/admin-exposed": "The admin API would be open to other machines.",
  "config/tls": "TLS settings that contradict each other.",
  "config/webhook-plaintext": "Secrets of a repository's host would pass in clear text.",
  "config/ca-plaintext": "Credentials of those who ask the authority would pass in clear text.",
  "config/ca-names": "The authority's server certificate would have no name.",
  "config/revocations": "The deny list of an authority elsewhere would stand beside the service's own.",
  "config/ca-admins": "Administrators of the authority could not reach it.",
} as const satisfies Record<string, string>;

export type ConfigCode = keyof typeof configCodes;

/** One thing that is wrong with a configuration. Lines and columns count from one; 0 where there is no place in the file. */
export interface ConfigFinding {
  readonly code: ConfigCode;
  readonly message: string;
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly help?: string;
}

/** `garita.yaml:3:5: message [code]`, and the help after it. */
export function renderFinding(finding: ConfigFinding): string {
  const place = finding.line === 0 ? finding.file : `${finding.file}:${finding.line}:${finding.column}`;
  const help = finding.help === undefined ? "" : ` (${finding.help})`;
  return `${place}: ${finding.message} [${finding.code}]${help}`;
}
