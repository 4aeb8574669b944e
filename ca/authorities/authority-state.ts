import type { CaStore, StoreStatus } from "#ca/store/contract";
import type { Clock } from "#platform/clock";
import type { Log } from "#platform/log";
import { buildAuthoritySet } from "./authority-set.ts";
import type { AuthoritySet } from "./contract.ts";
import type { KeyEncryptionKey } from "./key-encryption-key.ts";
import type { RandomBytes } from "./key-envelope.ts";
import { type LoadedAuthorities, loadAuthorities } from "./load-authorities.ts";
import type { AuthoritySettings } from "./settings.ts";

/** What of the store authorities need. */
export type AuthorityStore = Pick<CaStore, "addAuthority" | "setAuthorityStates" | "authorities" | "recordEvent"> & {
  status(): Promise<Pick<StoreStatus, "generation">>;
};

/** What authorities live with. */
export interface AuthorityContext {
  readonly store: AuthorityStore;
  readonly keyEncryptionKey: KeyEncryptionKey;
  readonly trustDomain: string;
  readonly settings: AuthoritySettings;
  readonly clock: Clock;
  /** Fit for keys: `crypto.randomBytes`. */
  readonly random: RandomBytes;
  readonly log: Log;
}

/** What was last read from the store, and what is in force of it. */
export class AuthorityState {
  readonly #context: AuthorityContext;
  #loaded: LoadedAuthorities;
  #set: AuthoritySet;
  readonly #listeners = new Set<() => void>();

  private constructor(context: AuthorityContext, loaded: LoadedAuthorities, set: AuthoritySet) {
    this.#context = context;
    this.#loaded = loaded;
    this.#set = set;
  }

  /** Fails as `loadAuthorities` and the store do. */
  static async open(context: AuthorityContext): Promise<AuthorityState> {
    const [loaded, set] = await load(context, undefined, undefined);
    return new AuthorityState(context, loaded, set);
  }

  get loaded(): LoadedAuthorities {
    return this.#loaded;
  }

  get set(): AuthoritySet {
    return this.#set;
  }

  /** Takes over what the store holds now. Fails as `open` does; what was in force stays then. */
  async reload(): Promise<void> {
    // INVARIANT: the new set is in force by one assignment, after everything of it was checked.
    const before = this.#set;
    [this.#loaded, this.#set] = await load(this.#context, this.#loaded, this.#set);
    if (this.#set !== before) for (const changed of this.#listeners) changed();
  }

  /** `changed` is called after another set came into force. Returns how to stop that. */
  subscribe(changed: () => void): () => void {
    this.#listeners.add(changed);
    return () => void this.#listeners.delete(changed);
  }
}

/** The same set as long as nothing changed: who keeps it can tell by that. */
async function load(
  { store, keyEncryptionKey, trustDomain }: AuthorityContext,
  before: LoadedAuthorities | undefined,
  set: AuthoritySet | undefined,
): Promise<readonly [LoadedAuthorities, AuthoritySet]> {
  const { generation } = await store.status();
  const loaded = await loadAuthorities(await store.authorities(), keyEncryptionKey, before);
  const next = buildAuthoritySet(loaded, trustDomain, generation);
  const isSame = set !== undefined && before !== undefined && next.bundle.sequence === set.bundle.sequence;
  return [loaded, isSame && sameAuthorities(before, loaded) ? set : next];
}

function sameAuthorities(a: LoadedAuthorities, b: LoadedAuthorities): boolean {
  return (["roots", "issuing", "auditKeys"] as const).every(
    (role) => a[role].length === b[role].length && a[role].every((each, i) => each === b[role][i]),
  );
}
