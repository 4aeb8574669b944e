import { once } from "node:events";
import { lstat, stat, unlink } from "node:fs/promises";
import { connect, type Server } from "node:net";
import { dirname } from "node:path";
import type { Address } from "./address.ts";
import { CodedError, messageOf } from "./coded-error.ts";

/**
 * Makes a server listen and returns where: the port that the system chose stands in the answer. A Unix socket is created with
 * `unixMode` (0660 unless given) and replaces one that nobody answers any more. Fails with `listen/failed`.
 */
export async function listen(server: Server, address: Address, unixMode = 0o660): Promise<Address> {
  if (address.kind === "unix") await removeStaleSocket(address.path);
  try {
    if (address.kind === "unix") listenUnix(server, address.path, unixMode);
    else server.listen({ host: address.host, port: address.port, backlog: 1024 });
    await once(server, "listening");
  } catch (cause) {
    const reason = (address.kind === "unix" && (await missingFolder(address.path))) || messageOf(cause);
    throw new CodedError("listen/failed", `cannot listen: ${reason}`, { cause });
  }
  const bound = server.address();
  if (address.kind === "tcp" && bound !== null && typeof bound === "object") return { ...address, port: bound.port };
  return address;
}

function listenUnix(server: Server, path: string, mode: number): void {
  // INVARIANT: the socket never exists with a wider mode. Node binds before `listen` returns.
  const before = process.umask(0o777 & ~mode);
  try {
    server.listen({ path });
  } finally {
    process.umask(before);
  }
}

/** The system says of a folder that is not there that permission is denied. Undefined: it is there. */
async function missingFolder(path: string): Promise<string | undefined> {
  const folder = dirname(path);
  const fault = await stat(folder).then(
    () => undefined,
    (cause: NodeJS.ErrnoException) => cause.code,
  );
  return fault === "ENOENT" ? `the folder ${folder} of the socket does not exist` : undefined;
}

/**
 * Removes a socket file that a dead process left behind. Somebody else's living socket stays, and so does any other file: the
 * system refuses a connection to those in the same words, so that what stands there is looked at first.
 */
async function removeStaleSocket(path: string): Promise<void> {
  const stats = await lstat(path).catch(() => undefined);
  if (stats?.isSocket() !== true) return;
  const answer = await new Promise<string>((resolve) => {
    const probe = connect({ path });
    probe.once("connect", () => {
      probe.destroy();
      resolve("alive");
    });
    probe.once("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? ""));
  });
  if (answer === "ECONNREFUSED") await unlink(path).catch(() => undefined);
}
