import type { ResourceView } from "../contract.ts";
import { discoveryLimits } from "../limits.ts";
import type { NameQuota } from "./name-quota.ts";
import { NameRecord } from "./name-record.ts";

/** The names of one type that a stream asks for, and those that have to be looked at before it is sent anything. */
export class NameRecords {
  readonly view: ResourceView;
  readonly #quota: NameQuota;
  /** Names that a wildcard stood for and does not any more, until they are told; true: it takes a part of the quota, as what clients name does. */
  readonly #gone = new Map<string, boolean>();
  readonly #byName = new Map<string, NameRecord>();
  readonly #pending = new Set<NameRecord>();
  #wildcard = false;

  constructor(view: ResourceView, quota: NameQuota) {
    this.view = view;
    this.#quota = quota;
  }

  get wildcard(): boolean {
    return this.#wildcard;
  }

  get size(): number {
    return this.#byName.size;
  }

  [Symbol.iterator](): IterableIterator<NameRecord> {
    return this.#byName.values();
  }

  get(name: string): NameRecord | undefined {
    return this.#byName.get(name);
  }

  /** Asks for a name. Undefined: there is no room for another one. One that is too long is not kept: nobody has it. */
  want(name: string): NameRecord | "too long" | undefined {
    // No unit of a string takes more than three bytes: most names need not be measured.
    if (name.length * 3 > discoveryLimits.nameBytes && Buffer.byteLength(name) > discoveryLimits.nameBytes)
      return "too long";
    const record = this.#byName.get(name) ?? new NameRecord(name);
    if (!record.counted && !this.#quota.take(name)) return undefined;
    this.#byName.set(name, record);
    record.counted = true;
    record.named = true;
    return record;
  }

  /** Asks for a name no more. One that the wildcard stands for is due again, so that the client knows that it still has it. */
  unwant(record: NameRecord): void {
    record.named = false;
    record.due = record.wild;
    if (record.wild) this.#pending.add(record);
    else this.#drop(record);
  }

  setWildcard(wildcard: boolean): void {
    this.#wildcard = wildcard;
    if (wildcard) {
      this.#lookAtWildcard();
      return;
    }
    for (const record of this) {
      if (!record.wild) continue;
      record.wild = false;
      if (!record.named) this.#drop(record);
    }
    this.clearGone();
  }

  /** Is there a name that a wildcard stood for, and that is to be told? */
  get hasGone(): boolean {
    return this.#gone.size > 0;
  }

  /** The client holds a name from another stream that the wildcard does not stand for. False: there is no room for it. */
  addGone(name: string): boolean {
    if (this.#gone.has(name)) return true;
    if (!this.#quota.take(name)) return false;
    this.#gone.set(name, true);
    return true;
  }

  /** The next name that is gone, which is taken out. */
  takeGone(): string | undefined {
    for (const name of this.#gone.keys()) {
      this.#forgetGone(name);
      return name;
    }
    return undefined;
  }

  clearGone(): void {
    for (const name of this.#gone.keys()) this.#forgetGone(name);
  }

  /** This one is to be looked at. */
  look(record: NameRecord): void {
    this.#pending.add(record);
  }

  /** All are to be looked at: what is there may be another. */
  lookAtAll(): void {
    if (this.#wildcard) this.#lookAtWildcard();
    for (const record of this) if (record.wanted) this.#pending.add(record);
  }

  /** The next one to be looked at, which is taken out. */
  takePending(): NameRecord | undefined {
    for (const record of this.#pending) {
      this.#pending.delete(record);
      return record;
    }
    return undefined;
  }

  /** Forgets it, unless it is of use still. */
  release(record: NameRecord): void {
    if (record.isKept || !this.#byName.delete(record.name)) return;
    if (record.counted) this.#quota.giveBack(record.name);
  }

  /** The stream is over. */
  clear(): void {
    for (const record of this) if (record.counted) this.#quota.giveBack(record.name);
    this.#byName.clear();
    this.#pending.clear();
    this.clearGone();
  }

  #forgetGone(name: string): void {
    if (this.#gone.get(name) === true) this.#quota.giveBack(name);
    this.#gone.delete(name);
  }

  #lookAtWildcard(): void {
    const now = new Set(this.view.wildcard());
    for (const record of this) {
      if (!record.wild || now.has(record.name)) continue;
      record.wild = false;
      if (record.named) continue;
      if (record.sent !== undefined) this.#gone.set(record.name, false);
      this.#drop(record);
    }
    for (const name of now) {
      const record = this.#byName.get(name) ?? new NameRecord(name);
      this.#byName.set(name, record);
      record.wild = true;
      this.#forgetGone(name);
      this.#pending.add(record);
    }
  }

  #drop(record: NameRecord): void {
    this.#pending.delete(record);
    record.sent = undefined;
    record.absent = false;
    this.release(record);
  }
}
