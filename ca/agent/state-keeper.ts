import type { TrustBundle } from "#ca/authorities/contract";
import { messageOf } from "#platform/coded-error";
import type { HeldCertificate } from "./contract.ts";
import type { KeptIdentity, StateFolder } from "./state-folder.ts";

/** What the state folder should hold. */
export interface WantedState {
  readonly bundle: TrustBundle | undefined;
  readonly held: HeldCertificate | undefined;
}

export interface StateKeeperParts {
  readonly state: StateFolder;
  readonly loaded: KeptIdentity;
  readonly monotonicMillis: () => number;
  readonly onFault: (message: string) => void;
  /** After everything that was wanted was written. */
  readonly onKept: () => void;
}

/** A disk that is full is asked again after so long. */
const retryMillis = 10_000;

/** Writes bundle and certificate behind what is served: a full disk keeps nobody from being served, and is told. One write at a time. */
export class StateKeeper {
  readonly #parts: StateKeeperParts;
  #kept: WantedState;
  #writing = false;
  #notBeforeMillis = 0;

  constructor(parts: StateKeeperParts) {
    this.#parts = parts;
    this.#kept = parts.loaded;
  }

  hasBundle(bundle: TrustBundle | undefined): boolean {
    return this.#kept.bundle === bundle;
  }

  hasAll({ bundle, held }: WantedState): boolean {
    return this.#kept.bundle === bundle && this.#kept.held === held;
  }

  /** Resolves when what could be written is. Never rejects; does nothing while a write runs, and for a while after one that failed. */
  async keep({ bundle, held }: WantedState): Promise<void> {
    const { state, monotonicMillis, onFault, onKept } = this.#parts;
    if (this.#writing || monotonicMillis() < this.#notBeforeMillis) return;
    this.#writing = true;
    try {
      // ORDER: the anchors before the leaf that needs them.
      if (bundle !== undefined && bundle !== this.#kept.bundle) await state.keepBundle(bundle);
      this.#kept = { ...this.#kept, bundle };
      if (held !== undefined && held !== this.#kept.held) await state.keepCertificate(held);
      this.#kept = { bundle, held };
      onKept();
    } catch (fault) {
      this.#notBeforeMillis = monotonicMillis() + retryMillis;
      onFault(messageOf(fault));
    } finally {
      this.#writing = false;
    }
  }
}
