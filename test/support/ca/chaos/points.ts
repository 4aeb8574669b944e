import { readFileSync } from "node:fs";

/** Where a service can be made to die, in the order in which a request comes by. */
export const killPoints = [
  "before-intent",
  "intent-sent",
  "intent-not-committed",
  "intent-committed",
  "before-signature",
  "after-signature",
  "completion-sent",
  "completion-not-committed",
  "completion-committed",
  "before-answer",
  "answer-half-written",
] as const;
export type KillPoint = (typeof killPoints)[number];

/** Where it can be made to die when one of its own authorities is kept or changes its state. */
export const authorityPoints = ["authority-sent", "authority-not-committed", "authority-committed"] as const;
export type AuthorityPoint = (typeof authorityPoints)[number];

/** Names the file that holds the point at which the next that comes by is to die. */
export const pointFileVariable = "GARITA_TEST_KILL_POINT_FILE";

/** Is this the point at which to die? Asked in every thread; the file is the only thing that they share. */
export function isArmed(point: KillPoint | AuthorityPoint): boolean {
  try {
    return readFileSync(process.env[pointFileVariable]!, "utf8") === point;
  } catch (fault) {
    if (Reflect.get(Object(fault), "code") === "ENOENT") return false;
    throw fault;
  }
}

/** Kills this process, whichever thread it is in, if this is the point at which to die. Nothing of the thread runs afterwards. */
export function reach(point: KillPoint | AuthorityPoint): void {
  if (isArmed(point)) die();
}

export function die(): never {
  process.kill(process.pid, "SIGKILL");
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  throw new Error("still alive");
}
