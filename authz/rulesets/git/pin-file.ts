import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { CodedError, messageOf } from "#platform/coded-error";
import { writeWhole } from "#platform/write-whole";
import type { Pin } from "../build.ts";
import { isObjectName, type Repository } from "./repository.ts";

/** A pin as it is kept, until the newest commit is in force again. */
export interface KeptPin extends Pin {
  /** The newest commit that was taken before: what is taken after the pin has to come from it. */
  readonly known: string | undefined;
}

/** The pin that was kept; undefined where none was. Fails with `git/pin` for a file that is none. */
export async function readPin(repository: Repository): Promise<KeptPin | undefined> {
  const file = fileOf(repository);
  try {
    const pin = parse(await readFile(file, "utf8"));
    if (pin !== undefined) return pin;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw new CodedError("git/pin", `the pin \`${file}\` cannot be read: ${messageOf(cause)}`, { cause });
  }
  throw new CodedError("git/pin", `the pin \`${file}\` cannot be understood: \`garita unpin\` takes it away`);
}

/** Keeps a pin whole, also over a loss of power. Fails with `output/unwritable`. */
export async function writePin(repository: Repository, pin: KeptPin): Promise<void> {
  await writeWhole(fileOf(repository), Buffer.from(`${JSON.stringify(pin)}\n`), { mode: 0o600 });
}

export async function removePin(repository: Repository): Promise<void> {
  await rm(fileOf(repository), { force: true });
}

function parse(text: string): KeptPin | undefined {
  const { commit, sinceMillis, untilMillis, known } = Object(JSON.parse(text)) as Partial<KeptPin>;
  if (typeof commit !== "string" || !isObjectName(commit)) return undefined;
  if (!Number.isSafeInteger(sinceMillis) || !Number.isSafeInteger(untilMillis)) return undefined;
  if (known !== undefined && !isObjectName(known)) return undefined;
  return { commit, sinceMillis: sinceMillis!, untilMillis: untilMillis!, known };
}

function fileOf({ folder, key }: Repository): string {
  return join(folder, `pin-${key}`);
}
