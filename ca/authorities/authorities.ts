import { messageOf } from "#platform/coded-error";
import type { Timers } from "#platform/timers";
import { activateIssuing } from "./activate-issuing.ts";
import { adoptAuthority } from "./adopt-authority.ts";
import { type AuditKey, verifyAuditSignature } from "./audit-key.ts";
import { statusOf } from "./authority-set.ts";
import { type AuthorityContext, AuthorityState } from "./authority-state.ts";
import { dueStates, prepareAtMillis, renewAtMillis, warningsOf } from "./authority-times.ts";
import type { AuthoritySet, AuthorityStatus } from "./contract.ts";
import type { ImportedAuthority } from "./import-authority.ts";
import type { LoadedAuthorities, LoadedAuthority } from "./load-authorities.ts";
import { testedSuccessor } from "./prepare-issuing.ts";
import { initialiseAuthorities, rotateIssuer } from "./rotate-issuer.ts";
import { successorOf } from "./slots.ts";
import { activeIssuing, usableRoot } from "./usable-root.ts";

/** The authorities of a trust domain, for as long as the program runs. */
export interface Authorities {
  /** What is in force. A request takes it once. */
  current(): AuthoritySet;
  /** What signs heads of the audit log; undefined before `initialise`. */
  auditKey(): AuditKey | undefined;
  /** Did the audit key with this id, the present or an earlier one, sign the bytes? */
  verifyAudit(auditKeyId: string, bytes: Uint8Array, signature: Uint8Array): boolean;
  /** Every authority, retired ones too: roots first, each in the order of their making. */
  status(): readonly AuthorityStatus[];
  /** What an operator should look after, in sentences. */
  warnings(): readonly string[];
  /**
   * Makes a root, an audit key and an active issuing authority, those that are lacking. Fails with `ca-authority/exists` when none is, or as `rotateIssuer`
   * does.
   */
  initialise(by: string): Promise<readonly AuthorityStatus[]>;
  /**
   * Keeps an authority that others made, and puts it in force. Fails with `ca-authority/exists` when there is an issuing authority and the new one does not lead to
   * a root of the bundle, or when its key is an authority's already; with `ca-authority/self-test`, and nothing kept.
   */
  adopt(imported: ImportedAuthority, by: string): Promise<AuthorityStatus>;
  /**
   * The issuing authority that is prepared under the same root, or a new one, self-tested, active when this resolves; the one before is retiring. Fails with `ca-authority/none`,
   * `ca-authority/root-key-elsewhere`, `ca-authority/self-signed`, `ca-authority/root-expiring`, `ca-authority/self-test`, `ca-authority/lint`, or as the store does:
   * what was in force stays then.
   */
  rotateIssuer(by: string): Promise<AuthorityStatus>;
  /**
   * Does now what is done every minute: what others changed is taken over, the successor of an issuing authority is made or put in force when it is due, others are retired. A renewal that fails is logged, and
   * tried again later. Fails as the store does.
   */
  lookAfter(): Promise<void>;
  /** Takes over what the store holds now, as after a change by another replica. Fails as `openAuthorities` does; what was in force stays then. */
  reload(): Promise<void>;
  /** What was last read from the store. */
  loaded(): LoadedAuthorities;
  /** Runs a change of the authorities that overlaps with no other. Fails as `run` does. */
  change<T>(run: (context: AuthorityContext, state: AuthorityState) => Promise<T>): Promise<T>;
  /** `changed` is called after another set came into force. Returns how to stop that. */
  subscribe(changed: () => void): () => void;
  /** No more renewals. What is under way ends. */
  close(): void;
}

/** How often times are looked at, and the store for changes by others. */
const lookEveryMillis = 60_000;
/** After a renewal that failed. */
const retryMillis = 10 * 60_000;

/**
 * Loads the authorities of the store, all of them or none: a key that does not open or fit, a certificate that does not lead to its root, two that are active at
 * once are errors (see `loadAuthorities`). An empty store gives a set without an issuing authority. From then on the successor of the issuing authority is made at two fifths of its life
 * where the root's key is here, and put in force at half of it; and those before are retired when their last leaf has ended.
 */
export async function openAuthorities(context: AuthorityContext & { readonly timers: Timers }): Promise<Authorities> {
  const { store, settings, clock, timers, log } = context;
  const state = await AuthorityState.open(context);
  const exclusive = createQueue();
  let closed = false;
  let cancel = () => {};
  let failure: { readonly reason: string; readonly atMillis: number } | undefined;

  const statuses = () => [...state.loaded.roots, ...state.loaded.issuing].map(statusOf);
  const rotate = async (by: string) => {
    await rotateIssuer(context, state, by);
    failure = undefined;
  };
  const changed = (change: () => Promise<void>): Promise<AuthorityStatus> =>
    exclusive(async () => {
      await change();
      return statusOf(activeIssuing(state.loaded)!);
    });

  const look = async () => {
    const nowMillis = clock.nowMillis();
    await state.reload();
    const states = dueStates(state.loaded, settings, nowMillis);
    if (states.length > 0) {
      await store.setAuthorityStates(states, nowMillis);
      await state.reload();
      log.info({ states }, "authorities changed their state");
    }
    const due = dueSuccession(state.loaded, nowMillis);
    // A clock that has gone back since is right again: its waits are over too.
    const sinceMillis = nowMillis - (failure?.atMillis ?? Number.NEGATIVE_INFINITY);
    if (due === undefined || (sinceMillis >= 0 && sinceMillis < retryMillis)) return;
    try {
      if (due.kind === "prepare") await testedSuccessor(context, state, due.root, undefined);
      else if (due.kind === "activate") await activateIssuing(context, state, due.keyId, due.replaces, "renewal");
      else await rotateIssuer(context, state, "renewal");
      failure = undefined;
    } catch (fault) {
      failure = { reason: messageOf(fault), atMillis: nowMillis };
      log.warn({ reason: failure.reason }, "the issuing authority was not renewed");
    }
  };
  const schedule = () => {
    if (closed) return;
    cancel = timers.after(lookEveryMillis, () => {
      exclusive(look)
        .catch((fault: unknown) => log.warn({ reason: messageOf(fault) }, "the authorities could not be looked after"))
        .finally(schedule);
    });
  };

  schedule();
  return {
    current: () => state.set,
    auditKey: () => state.loaded.auditKeys.find(({ auditKey }) => auditKey !== undefined)?.auditKey,
    verifyAudit(auditKeyId, bytes, signature) {
      const found = state.loaded.auditKeys.find(({ record }) => record.keyId === auditKeyId);
      return found !== undefined && verifyAuditSignature(found.record.certificateDer, bytes, signature);
    },
    status: statuses,
    warnings: () => warningsOf(state.loaded, settings, failure?.reason, clock.nowMillis()),
    initialise: (by) =>
      exclusive(async () => {
        await initialiseAuthorities(context, state, by);
        return statuses();
      }),
    adopt: (imported, by) => changed(() => adoptAuthority(context, state, imported, by)),
    rotateIssuer: (by) => changed(() => rotate(by)),
    lookAfter: () => exclusive(look),
    reload: () => exclusive(() => state.reload()),
    loaded: () => state.loaded,
    change: (run) => exclusive(() => run(context, state)),
    subscribe: (changed) => state.subscribe(changed),
    close() {
      closed = true;
      cancel();
    },
  };
}

type Succession =
  | { readonly kind: "prepare"; readonly root: LoadedAuthority }
  | { readonly kind: "activate"; readonly keyId: string; readonly replaces: string }
  | { readonly kind: "replace" };

/** What is to be done now for the successor of the issuing authority in force; undefined: nothing, or nothing that can be done here. */
function dueSuccession(loaded: LoadedAuthorities, nowMillis: number): Succession | undefined {
  const issuing = activeIssuing(loaded);
  if (issuing === undefined || nowMillis < prepareAtMillis(issuing)) return undefined;
  const usable = usableRoot(loaded);
  const successor = successorOf(loaded, issuing.path.at(-1)?.keyId, nowMillis);
  if (nowMillis < renewAtMillis(issuing))
    return successor === undefined && usable.ok ? { kind: "prepare", root: usable.root } : undefined;
  if (successor !== undefined)
    return { kind: "activate", keyId: successor.record.keyId, replaces: issuing.record.keyId };
  return usable.ok ? { kind: "replace" } : undefined;
}

/** One call after the other: changes never overlap. */
function createQueue(): <T>(run: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (run) => {
    const next = last.then(run);
    last = next.catch(() => {}); // The caller is told; those behind wait for the end alone.
    return next;
  };
}
