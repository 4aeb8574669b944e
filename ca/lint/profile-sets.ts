import type { LintContext } from "./contract.ts";

type Profiles = readonly LintContext["profile"][];

/** Which certificates a lint is about. */
export const everyProfile: Profiles = ["leaf", "issuing", "root"];
export const leaves: Profiles = ["leaf"];
export const authorities: Profiles = ["issuing", "root"];
/** What has an issuer other than itself. */
export const issued: Profiles = ["leaf", "issuing"];
export const issuingAuthorities: Profiles = ["issuing"];
export const roots: Profiles = ["root"];
