import { join } from "node:path";
import type { TestContext } from "node:test";
import { tempFolder } from "#test/support/service/temp-folder";
import { type DoorOptions, type OpenDoor, openDoor } from "./doors.ts";

/** An HTTP door at a Unix socket, which ends with the test. */
export async function openSocketDoor(
  t: TestContext,
  options: DoorOptions = {},
): Promise<OpenDoor & { readonly path: string }> {
  const path = join(await tempFolder(t), "door.sock");
  return { ...(await openDoor(t, "http", { address: { kind: "unix", path }, ...options })), path };
}
