import type { FaultCode } from "#platform/fault-codes";
import type { ConfigCode } from "./config/codes.ts";

/** What the exit status of every command means, whatever the output format. */
export const exitCodes = {
  ok: 0,
  /** A defect, or an input or output error that is nobody's policy: a file without permission, an address in use. */
  internal: 1,
  /** Wrong usage: flags, arguments, files and folders that are not there, the configuration among them. */
  usage: 2,
  /** A policy, test file or configuration that is not valid. */
  invalidPolicy: 3,
  testsFailed: 4,
  /** A gate (warnings with `--fail-on warning`, a threshold) was not passed; a certificate, a bundle or a log that was looked at is not in order. */
  gate: 5,
  /** `eval --exit-code`: the request is denied. `diff --exit-code`: something differs. The authority decided against what was asked. Something is due. */
  denied: 10,
} as const;
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** Coded errors that are not internal when a command ends with one. */
const coded: ReadonlyMap<FaultCode, ExitCode> = new Map<FaultCode, ExitCode>([
  ["source/missing", exitCodes.usage],
  ["source/escape", exitCodes.invalidPolicy],
  ["source/too-large", exitCodes.invalidPolicy],
  ["bundle/keys", exitCodes.usage],
  ["bundle/expired", exitCodes.gate],
  ["bundle/damaged", exitCodes.gate],
  ["bundle/signature", exitCodes.gate],
  ["bundle/ahead", exitCodes.gate],
  ["ruleset/damaged", exitCodes.gate],
  ["git/path", exitCodes.usage],
  ["git/entry", exitCodes.invalidPolicy],
  ["git/absent", exitCodes.invalidPolicy],
]);

/** The exit status of a command that ends with a coded error. */
export function exitCodeOf(code: FaultCode): ExitCode {
  return coded.get(code) ?? exitCodes.internal;
}

/** What a configuration can have that is not the fault of its author. */
const configCoded: ReadonlyMap<ConfigCode, ExitCode> = new Map<ConfigCode, ExitCode>([
  ["config/missing", exitCodes.usage],
  ["config/unreadable", exitCodes.internal],
]);

/** The exit status of a command that ends with findings about its configuration. */
export function exitCodeOfConfig(findings: readonly { readonly code: ConfigCode }[]): ExitCode {
  const [first] = findings;
  return (first && configCoded.get(first.code)) ?? exitCodes.invalidPolicy;
}
