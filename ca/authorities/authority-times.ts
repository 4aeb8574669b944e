import type { CaStore } from "#ca/store/contract";
import type { Certificate } from "#ca/x509/contract";
import type { LoadedAuthorities, LoadedAuthority } from "./load-authorities.ts";
import type { AuthoritySettings } from "./settings.ts";
import { successorOf } from "./slots.ts";
import { activeIssuing, usableRoot } from "./usable-root.ts";

/** Clocks of relying parties may be so far off. */
const skewMillis = 10 * 60_000;
/** A request that has taken the authority that was replaced, and another replica that has not looked yet, sign so long with it at the most. */
const lateMillis = 10 * 60_000;
/** Of a life: a root that has no more left is spoken of. */
const endingPart = 0.3;

/** When the successor of an authority is made: at two fifths of its life, so that it is there and tested long before it is needed. */
export function prepareAtMillis(loaded: LoadedAuthority): number {
  return partOfLife(loaded, 0.4);
}

/** When an authority is to be replaced: at half of its life. */
export function renewAtMillis(loaded: LoadedAuthority): number {
  return partOfLife(loaded, 0.5);
}

function partOfLife({ authority: { certificate } }: LoadedAuthority, part: number): number {
  const { notBefore, notAfter } = certificate;
  return notBefore.millis + (notAfter.millis - notBefore.millis) * part;
}

/**
 * States that are due: an authority that was replaced is retired when the last leaf under it has ended, one that was prepared when half of its own life is over or
 * another is prepared after it, a root when it has ended itself.
 */
export function dueStates(
  loaded: LoadedAuthorities,
  settings: AuthoritySettings,
  nowMillis: number,
): Parameters<CaStore["setAuthorityStates"]>[0] {
  const isOver = (issuing: LoadedAuthority): boolean => {
    const { record, authority } = issuing;
    const endMillis = authority.certificate.notAfter.millis + skewMillis;
    const lastLeafMillis = record.stateMillis + lateMillis + settings.longestLeafMillis + skewMillis;
    if (record.state === "retiring") return nowMillis > Math.min(endMillis, lastLeafMillis);
    return record.state === "prepared" && successorOf(loaded, issuing.path.at(-1)?.keyId, nowMillis) !== issuing;
  };
  const roots = loaded.roots.filter(
    ({ record, authority }) =>
      record.state !== "retired" && nowMillis > authority.certificate.notAfter.millis + skewMillis,
  );
  const needed = new Set(activeIssuing(loaded)?.path.map(({ keyId }) => keyId));
  return [...loaded.issuing.filter(isOver), ...roots.filter(({ record }) => !needed.has(record.keyId))].map(
    ({ record }) => ({ keyId: record.keyId, state: "retired" as const }),
  );
}

/** What an operator should look after. */
export function warningsOf(
  loaded: LoadedAuthorities,
  settings: AuthoritySettings,
  failure: string | undefined,
  nowMillis: number,
): readonly string[] {
  const active = activeIssuing(loaded);
  if (active === undefined) return ["no issuing authority is active: nothing can be issued"];
  const warnings: string[] = [];
  const { issuing, path } = active;
  const endMillis = Math.min(...path.map(({ certificate }) => certificate.notAfter.millis));
  const end = new Date(endMillis).toISOString();
  if (issuing === undefined) warnings.push("the private key of the active issuing authority is not here");
  if (endMillis <= nowMillis) warnings.push(`the issuing authority ended at ${end}: nothing can be issued`);
  else if (
    nowMillis >= renewAtMillis(active) &&
    !usableRoot(loaded).ok &&
    successorOf(loaded, path.at(-1)?.keyId, nowMillis) === undefined
  )
    warnings.push(`the issuing authority ends at ${end}, and cannot be renewed here: import another`);
  if (failure !== undefined) warnings.push(`the issuing authority was not renewed: ${failure}`);
  const root = path.at(-1);
  if (root !== undefined && isEnding(root.certificate, settings, nowMillis))
    warnings.push(
      `the root \`${root.subject}\` ends at ${new Date(root.certificate.notAfter.millis).toISOString()}: issuing authorities end with it; \`garita ca root rotate\` replaces it`,
    );
  return warnings;
}

function isEnding({ notBefore, notAfter }: Certificate, settings: AuthoritySettings, nowMillis: number): boolean {
  const enoughMillis = Math.max(endingPart * (notAfter.millis - notBefore.millis), settings.issuingLifetimeMillis);
  return notAfter.millis - nowMillis < enoughMillis;
}
