import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, closeSync, mkdirSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";

/** A file system of its own, that a test may fill and break. It is gone when the test is over. */
export interface SmallDisk {
  /** A folder on it for us alone. */
  readonly folder: string;
  /** Takes the room that is left. The result gives it back. */
  fill(): () => void;
  mount(): void;
  unmount(): void;
  /** Has the file system refuse every write, as one does that has met a fault of its device. Until it is mounted anew. */
  abort(): void;
}

/** Root's commands, as root or by `sudo` without a password. Undefined: this user may not; in a pipeline that is a fault. */
function asRoot(): ((...command: string[]) => void) | undefined {
  const prefix = process.getuid?.() === 0 ? [] : ["sudo", "-n"];
  const run = (command: readonly string[]) => {
    const [program = "", ...args] = [...prefix, ...command];
    return spawnSync(program, args, { encoding: "utf8", timeout: 20_000 });
  };
  if (run(["true"]).status !== 0) {
    assert.equal(process.env["CI"], undefined, "file systems cannot be mounted: neither root nor sudo");
    return undefined;
  }
  return (...command) => {
    const { status, stderr, error } = run(command);
    assert.equal(status, 0, `${command.join(" ")}: ${error?.message ?? stderr}`);
  };
}

/** A disk in memory of some MiB, or one with a journal in a file. Skips the test where nothing can be mounted. */
export function smallDisk(t: TestContext, kind: "tmpfs" | "ext4", sizeMib: number): SmallDisk | undefined {
  const root = asRoot();
  if (root === undefined) {
    t.skip("file systems cannot be mounted");
    return undefined;
  }
  const outer = mkdtempSync(join(tmpdir(), "garita-disk-"));
  const point = join(outer, "disk");
  const image = join(outer, "image");
  mkdirSync(point);
  let mounted = false;
  const disk: SmallDisk = {
    folder: join(point, "own"),
    fill() {
      const file = join(point, "own", "filler");
      const descriptor = openSync(file, "w");
      for (let sizeBytes = 64 * 1024; sizeBytes >= 512; ) {
        try {
          writeSync(descriptor, Buffer.alloc(sizeBytes, 1));
        } catch (fault) {
          assert.equal(Reflect.get(Object(fault), "code"), "ENOSPC");
          sizeBytes /= 2;
        }
      }
      closeSync(descriptor);
      return () => rmSync(file);
    },
    mount() {
      if (kind === "tmpfs") root("mount", "-t", "tmpfs", "-o", `size=${sizeMib}m,mode=0777`, "tmpfs", point);
      else root("mount", "-o", "loop", image, point);
      mounted = true;
    },
    unmount() {
      root("umount", point);
      mounted = false;
    },
    abort: () => root("mount", "-o", "remount,abort", point),
  };
  if (kind === "ext4") {
    writeImage(image, sizeMib);
    root("mkfs.ext4", "-q", "-F", "-m", "0", image);
  }
  t.after(() => {
    // Lazily: a program of the test may have files open, until it is ended too.
    if (mounted) root("umount", "-l", point);
    rmSync(outer, { recursive: true, force: true });
  });
  disk.mount();
  root("chmod", "0777", point);
  mkdirSync(disk.folder);
  chmodSync(disk.folder, 0o700);
  return disk;
}

function writeImage(image: string, sizeMib: number): void {
  const descriptor = openSync(image, "w");
  writeSync(descriptor, Buffer.alloc(1), 0, 1, sizeMib * 1024 * 1024 - 1);
  closeSync(descriptor);
}
