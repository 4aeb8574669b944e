import { once } from "node:events";
import type { Writable } from "node:stream";
import { createAnswerCase } from "./answer-case.ts";
import { product } from "./product.ts";
import { readCases } from "./read-cases.ts";

const bufferedCharacters = 1 << 16;

/** Writes one line of JSON for every case of the file, in order; returns how many. */
export async function answerFile(file: string, to: Writable): Promise<number> {
  const answerCase = createAnswerCase(product);
  let count = 0;
  let pending = "";
  for await (const read of readCases(file)) {
    const answer = answerCase(read);
    pending += `${JSON.stringify(answer instanceof Promise ? await answer : answer)}\n`;
    count++;
    if (pending.length < bufferedCharacters) continue;
    if (!to.write(pending)) await once(to, "drain");
    pending = "";
  }
  if (pending !== "" && !to.write(pending)) await once(to, "drain");
  return count;
}
