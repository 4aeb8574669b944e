import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";
import { createGunzip } from "node:zlib";
import type { CaseLine, PolicySetLine, RequestCase, Setting, ValidationCase } from "./case.ts";

/** A case with the setting that it takes place in. Equal settings of one file are one object: compile them once. */
export type ReadCase =
  | { readonly type: "request"; readonly case: RequestCase; readonly setting: Setting }
  | { readonly type: "validation"; readonly case: ValidationCase };

/** The cases of one file (`.jsonl`, or `.jsonl.gz`) in order. Throws on a line that is no case or names no earlier set. */
export async function* readCases(file: string): AsyncGenerator<ReadCase> {
  const sets = new Map<string, PolicySetLine>();
  const raw = createReadStream(file);
  const text = file.endsWith(".gz") ? raw.pipe(createGunzip()) : raw;
  let number = 0;
  for await (const line of createInterface({ input: text, crlfDelay: Number.POSITIVE_INFINITY })) {
    number++;
    if (line.trim() === "") continue;
    const read = placeCase(parseLine(line, `${file}:${number}`), sets, `${file}:${number}`);
    if (read !== undefined) yield read;
  }
}

function placeCase(line: CaseLine, sets: Map<string, PolicySetLine>, place: string): ReadCase | undefined {
  if ("policySet" in line) {
    sets.set(line.policySet, line);
    return undefined;
  }
  if ("policy" in line) return { type: "validation", case: line };
  if (line.use === undefined) return { type: "request", case: line, setting: line };
  const setting = sets.get(line.use);
  if (setting === undefined) throw new Error(`${place}: no policy set \`${line.use}\` stands before the case`);
  return { type: "request", case: line, setting };
}

function parseLine(line: string, place: string): CaseLine {
  const value: unknown = JSON.parse(line);
  if (typeof value !== "object" || value === null || !("policySet" in value || "name" in value)) {
    throw new Error(`${place}: neither a policy set nor a case`);
  }
  return value as CaseLine;
}
