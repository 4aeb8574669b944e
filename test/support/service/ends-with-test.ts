import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import type { TestContext } from "node:test";

/** Kills a program when the test is over, and waits until it is gone: it writes into no folder any more. */
export function endsWithTest(t: TestContext, child: ChildProcess): void {
  t.after(async () => {
    if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, "exit");
    child.kill("SIGKILL");
    await gone;
  });
}
