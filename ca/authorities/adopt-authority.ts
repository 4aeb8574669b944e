import { sameBytes } from "#ca/x509/bytes";
import { CodedError } from "#platform/coded-error";
import { activateIssuing } from "./activate-issuing.ts";
import type { AuthorityContext, AuthorityState } from "./authority-state.ts";
import type { ImportedAuthority } from "./import-authority.ts";
import { createIssuingAuthority } from "./issuing-authority.ts";
import { keepAuditKey, keepAuthority } from "./keep-authority.ts";
import type { LoadedAuthority } from "./load-authorities.ts";
import { selfTest } from "./self-test.ts";
import { activeIssuing } from "./usable-root.ts";

/**
 * Keeps an imported authority and puts it in force. See `Authorities.adopt`. ORDER: tested before anything is kept, roots before what they stand above.
 * Interrupted, it goes on when it is called again with the same. Never two calls at once.
 */
export async function adoptAuthority(
  context: AuthorityContext,
  state: AuthorityState,
  imported: ImportedAuthority,
  by: string,
): Promise<void> {
  const { path, roots, privateKey } = imported;
  const own = path[0]!;
  await state.reload();
  const known = new Map(
    [...state.loaded.roots, ...state.loaded.issuing].map((each) => [each.record.keyId, each] as const),
  );
  const replaces = activeIssuing(state.loaded)?.record.keyId;
  demandRoom(state, imported, known);
  await demandTested(context, imported);
  const activeRoot = state.loaded.roots.find(({ record }) => record.state === "active")?.record.keyId;
  for (const root of roots) {
    // A root that signs leaves itself is kept as an issuing authority, which is its own anchor.
    if (root.keyId === own.keyId) continue;
    const wanted = activeRoot === undefined && root.keyId === path.at(-1)!.keyId ? "active" : "prepared";
    const record = known.get(root.keyId)?.record;
    if (record === undefined) await keepAuthority(context, "root", wanted, root, [], undefined);
    else if (record.state === "retired")
      await context.store.setAuthorityStates([{ keyId: root.keyId, state: wanted }], context.clock.nowMillis());
  }
  const left = known.get(own.keyId)?.record;
  if (left === undefined) await keepAuthority(context, "issuing", "prepared", own, path.slice(1, -1), privateKey);
  else await context.store.setAuthorityStates([{ keyId: own.keyId, state: "prepared" }], context.clock.nowMillis());
  await keepAuditKey(context, state);
  await activateIssuing(context, state, own.keyId, replaces, by);
}

function demandRoom(
  state: AuthorityState,
  { path }: ImportedAuthority,
  known: ReadonlyMap<string, LoadedAuthority>,
): void {
  const own = path[0]!;
  const root = path.at(-1)!;
  const before = known.get(own.keyId);
  const isSame = before === undefined || sameBytes(before.record.certificateDer, own.certificate.der);
  if (!isSame || before?.record.state === "active" || before?.record.role === "root")
    throw new CodedError("ca-authority/exists", `the key \`${own.keyId}\` is an authority's already: make a new one`);
  const trusted = known.get(root.keyId)?.record.state;
  if (activeIssuing(state.loaded) !== undefined && (trusted === undefined || trusted === "retired"))
    throw new CodedError(
      "ca-authority/exists",
      `an issuing authority is active, and the new one has another root, \`${root.subject}\`, which nobody trusts yet`,
    );
}

async function demandTested(
  { trustDomain, clock, random }: AuthorityContext,
  { path, privateKey }: ImportedAuthority,
): Promise<void> {
  const authority = createIssuingAuthority(path, privateKey);
  const tested = await selfTest({ authority, path, trustDomain, nowMillis: clock.nowMillis(), random });
  if (!tested.ok)
    throw new CodedError(
      "ca-authority/self-test",
      `the imported authority \`${path[0]!.subject}\` is not taken (${tested.step}): ${tested.message}`,
    );
}
