import { once } from "node:events";
import type { Writable } from "node:stream";
import { createCaseRunner } from "./answer-case.ts";
import { readCases } from "./read-cases.ts";

const bufferedCharacters = 1 << 16;

/** How a file went: cases answered, and cases that could not be, which have no line. */
export interface FileTally {
  answered: number;
  failed: number;
}

/** Writes one line of JSON for every case of the file, in order. `complain` is told of each case that failed, and why. */
export async function answerFile(
  file: string,
  to: Writable,
  complain: (name: string, fault: unknown) => void,
): Promise<FileTally> {
  const runner = createCaseRunner();
  const tally = { answered: 0, failed: 0 };
  let pending = "";
  for await (const read of readCases(file)) {
    try {
      pending += `${JSON.stringify(await runner.answer(read))}\n`;
      tally.answered++;
    } catch (fault) {
      tally.failed++;
      complain(read.case.name, fault);
    }
    if (pending.length < bufferedCharacters) continue;
    if (!to.write(pending)) await once(to, "drain");
    pending = "";
  }
  await runner.stop();
  if (pending !== "" && !to.write(pending)) await once(to, "drain");
  return tally;
}
