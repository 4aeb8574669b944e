import { parentPort, workerData } from "node:worker_threads";
import { backUp } from "#ca/store/sqlite/back-up";
import { lastEntry } from "#ca/store/sqlite/ledger";
import { type Reply, type Request, type StartRequest, sentFault } from "#ca/store/sqlite/messages";
import { type OpenStore, openForService } from "#ca/store/sqlite/opening";
import { runBatch } from "#ca/store/sqlite/run-batch";

/** Runs in a thread of its own, and is the only one that has the database open: a batch comes in, and its outcomes go out when they are on the disk. */
const request: StartRequest = workerData;
const reply = (message: Reply) => parentPort?.postMessage(message);

const store = open();
if (store !== undefined) {
  parentPort?.on("message", async (message: Request) => {
    switch (message.kind) {
      case "batch":
        reply(runBatch(store.ledger, store.operations, message.calls, request.file));
        return;
      case "backup":
        reply({
          kind: "backup",
          fault: await backUp(store.ledger.database, message.file).then(() => undefined, sentFault),
        });
        return;
      case "close":
        store.ledger.database.close();
        reply({ kind: "closed" });
        parentPort?.close();
        return;
    }
  });
}

function open(): OpenStore | undefined {
  try {
    const opened = openForService(request);
    reply({ kind: "opened", abandoned: opened.abandoned, last: lastEntry(opened.ledger) });
    return opened;
  } catch (fault) {
    reply({ kind: "not-opened", fault: sentFault(fault) });
    return undefined;
  }
}
