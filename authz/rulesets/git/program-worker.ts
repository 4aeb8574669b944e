import { parentPort } from "node:worker_threads";
import { CodedError, messageOf } from "#platform/coded-error";
import type { ProgramAnswer, ProgramTask } from "./program-thread.ts";
import { type StartedProgram, startProgram } from "./start-program.ts";

const running = new Map<number, StartedProgram>();

/** Runs in a thread of its own: programs are started and ended as it is told, and how each ended goes out. Output is handed over, not copied. */
parentPort?.on("message", async (task: ProgramTask) => {
  if (task.kind === "close") {
    for (const program of running.values()) program.end();
    process.exit();
  }
  const { id } = task;
  if (task.kind === "end") return running.get(id)?.end();
  const answer = (told: ProgramAnswer, handed: ArrayBuffer[] = []) => parentPort?.postMessage(told, handed);
  try {
    const program = startProgram(task.call);
    running.set(id, program);
    const { output, ...ran } = await program.ended;
    const bytes = new Uint8Array(output);
    answer({ id, ran: { ...ran, output: bytes } }, [bytes.buffer]);
  } catch (fault) {
    const code = fault instanceof CodedError ? fault.code : "source/worker";
    answer({ id, fault: { code, message: messageOf(fault) } });
  } finally {
    running.delete(id);
  }
});
