import { isDeepStrictEqual } from "node:util";
import type { Clock } from "#platform/clock";
import type { Log } from "#platform/log";
import { longestPinSeconds, type Pin } from "../build.ts";
import { type KeptPin, readPin, removePin, writePin } from "./pin-file.ts";
import type { Repository } from "./repository.ts";

/** The pin of a source: what the folder's file says of it. */
export interface Pins {
  /** The pin that holds now. */
  current(): Pin | undefined;
  /** What a commit has to come from that is taken after a pin. */
  known(): string | undefined;
  /** Reads the file again: services that share a folder share its pin. Fails with `git/pin`. */
  renew(): Promise<void>;
  keep(pin: KeptPin): Promise<void>;
  /** It holds no longer. Its file stays until `forget`; one that cannot be understood gives way to what `noted` tells. */
  end(): Promise<void>;
  /** The newest commit is in force: a pin that has ended counts no longer. */
  forget(): Promise<void>;
}

/** A pin that ends later was made when the clock was ahead by more than it may be off, and holds no longer. */
const longestMillis = (longestPinSeconds + 300) * 1000;

export interface PinParts {
  readonly repository: Repository;
  readonly source: string;
  readonly clock: Clock;
  readonly log: Log;
  /** What the mirror says of the newest commit that was taken, for a file that is damaged. */
  readonly noted: () => Promise<string | undefined>;
}

/** The pin of a folder; none before the first `renew`. */
export function createPins({ repository, source, clock, log, noted }: PinParts): Pins {
  let kept: KeptPin | undefined;
  let isDamaged = false;
  /** The commit of the pin that the log has told of and that had not ended then. */
  let told: string | undefined;
  const current = () => {
    const leftMillis = kept === undefined ? 0 : kept.untilMillis - clock.nowMillis();
    return leftMillis > 0 && leftMillis <= longestMillis ? kept : undefined;
  };
  const tell = () => {
    const pin = current();
    if (pin?.commit === told) return;
    if (pin === undefined) log.warn({ source, commit: told }, "the pin has ended: the newest commit comes into force");
    else {
      const { commit, untilMillis } = pin;
      const until = new Date(untilMillis).toISOString();
      log.warn({ source, commit, until }, "the policies are pinned: no push comes into force until then");
    }
    told = pin?.commit;
  };
  /** A pin that has ended, in the place of one that cannot be understood. */
  const instead = async (): Promise<KeptPin | undefined> => {
    const known = isDamaged ? await noted() : undefined;
    const nowMillis = clock.nowMillis();
    return known === undefined ? undefined : { commit: known, sinceMillis: nowMillis, untilMillis: nowMillis, known };
  };
  return {
    current() {
      const pin = current();
      return pin && { commit: pin.commit, sinceMillis: pin.sinceMillis, untilMillis: pin.untilMillis };
    },
    known: () => kept?.known,
    async renew() {
      isDamaged = true;
      kept = await readPin(repository);
      isDamaged = false;
      tell();
    },
    async keep(pin) {
      await writePin(repository, pin);
      kept = pin;
      tell();
    },
    async end() {
      const ending = kept ?? (await instead());
      if (ending === undefined) await removePin(repository);
      else {
        const ended = { ...ending, untilMillis: Math.min(ending.untilMillis, clock.nowMillis()) };
        await writePin(repository, ended);
        kept = ended;
      }
      tell();
    },
    async forget() {
      if (kept === undefined || current() !== undefined) return;
      // Another service that shares the folder may have been told to pin since.
      if (isDeepStrictEqual(await readPin(repository), kept)) await removePin(repository);
      kept = undefined;
    },
  };
}
