#!/usr/bin/env node
import { createInterface } from "node:readline";
import { runtimeFault } from "#platform/runtime";

const fault = runtimeFault(process.versions.node);
if (fault !== undefined) {
  process.stderr.write(`${fault}\n`);
  process.exitCode = 1;
} else {
  const { run } = await import("./run.ts");
  const lost = watchOutput();
  const code = await run(process.argv.slice(2), {
    environment: process.env,
    write: (text) => process.stdout.write(text),
    writeError: (text) => process.stderr.write(text),
    terminal: { output: process.stdout.isTTY === true, errors: process.stderr.isTTY === true },
    readInput,
    readLine,
  });
  process.exitCode = lost() ? 1 : code;
}

/**
 * A reader that has enough (`garita check | head`) changes nothing: the rest is not written, the exit status stays. Output that is lost
 * for another reason, such as a full disk, is a failure.
 */
function watchOutput(): () => boolean {
  let lost = false;
  process.stdout.on("error", (reason: NodeJS.ErrnoException) => {
    if (reason.code === "EPIPE") return;
    lost = true;
    process.exitCode = 1;
    process.stderr.write(`garita: the output cannot be written: ${reason.message}\n`);
  });
  process.stderr.on("error", () => undefined);
  return () => lost;
}

async function readInput(): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk as Uint8Array);
  return Buffer.concat(chunks);
}

async function readLine(): Promise<string> {
  const lines = createInterface({ input: process.stdin });
  try {
    for await (const line of lines) return line;
    return "";
  } finally {
    lines.close();
  }
}
