import type { CaStore } from "#ca/store/contract";
import type { LoadedAuthorities, LoadedAuthority } from "./load-authorities.ts";
import type { AuthoritySettings } from "./settings.ts";
import { activeIssuing, usableRoot } from "./usable-root.ts";

/** Clocks of relying parties may be so far off. */
const skewMillis = 10 * 60_000;
/** One that was prepared and is not active by then was left behind by a program that ended. */
const abandonedMillis = 10 * 60_000;

/** When an authority is to be replaced: at half of its life. */
export function renewAtMillis({ authority: { certificate } }: LoadedAuthority): number {
  const { notBefore, notAfter } = certificate;
  return notBefore.millis + (notAfter.millis - notBefore.millis) / 2;
}

/**
 * States that are due: an authority that was replaced is retired when the last leaf under it has ended, one that was prepared and forgotten after ten minutes, a
 * root when it has ended itself.
 */
export function dueStates(
  loaded: LoadedAuthorities,
  settings: AuthoritySettings,
  nowMillis: number,
): Parameters<CaStore["setAuthorityStates"]>[0] {
  const active = activeIssuing(loaded);
  const isOver = ({ record, authority }: LoadedAuthority): boolean => {
    const endMillis = authority.certificate.notAfter.millis + skewMillis;
    switch (record.state) {
      case "prepared":
        return nowMillis > record.createdMillis + abandonedMillis;
      case "retiring":
        // It signed until its successor was active, which was when that was made; without one only its own end is sure.
        return nowMillis > Math.min(endMillis, lastLeafMillis(active, record.createdMillis, settings));
      case "active":
      case "retired":
        return false;
    }
  };
  const roots = loaded.roots.filter(
    ({ record, authority }) =>
      record.state !== "retired" && nowMillis > authority.certificate.notAfter.millis + skewMillis,
  );
  const needed = new Set(active?.path.map(({ keyId }) => keyId));
  return [...loaded.issuing.filter(isOver), ...roots.filter(({ record }) => !needed.has(record.keyId))].map(
    ({ record }) => ({ keyId: record.keyId, state: "retired" as const }),
  );
}

function lastLeafMillis(
  active: LoadedAuthority | undefined,
  createdMillis: number,
  settings: AuthoritySettings,
): number {
  if (active === undefined || active.record.createdMillis < createdMillis) return Number.POSITIVE_INFINITY;
  // Between being made and being active a successor is tested: it is given up after `abandonedMillis`.
  return active.record.createdMillis + abandonedMillis + settings.longestLeafMillis + skewMillis;
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
  else if (nowMillis >= renewAtMillis(active) && !usableRoot(loaded).ok)
    warnings.push(`the issuing authority ends at ${end}, and cannot be renewed here: import another`);
  if (failure !== undefined) warnings.push(`the issuing authority was not renewed: ${failure}`);
  const root = path.at(-1);
  if (root !== undefined && root.certificate.notAfter.millis - nowMillis < settings.issuingLifetimeMillis)
    warnings.push(
      `the root \`${root.subject}\` ends at ${new Date(root.certificate.notAfter.millis).toISOString()}: issuing authorities end with it`,
    );
  return warnings;
}
