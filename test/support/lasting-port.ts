import { randomInt } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:net";

/** Below what systems choose from by themselves, which begins at 32768 on Linux (ip(7), `ip_local_port_range`) and above elsewhere. */
const [lowest, below] = [10_000, 32_768];

/** A port of 127.0.0.1 at which nobody listens, and which no program gets that does not ask for it by its number: who leaves it finds it free again. */
export async function lastingPort(): Promise<number> {
  for (;;) {
    const port = randomInt(lowest, below);
    const server = createServer().listen(port, "127.0.0.1");
    const isFree = await once(server, "listening").then(
      () => true,
      () => false,
    );
    if (!isFree) continue;
    server.close();
    await once(server, "close");
    return port;
  }
}
