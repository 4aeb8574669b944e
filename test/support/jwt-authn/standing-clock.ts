import { execFile } from "node:child_process";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Stands in front of the C library: the time of day is what `STANDING_CLOCK` says, in Unix seconds; timers go on. */
const source = `
#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static time_t standing(void) { return atol(getenv("STANDING_CLOCK")); }

int clock_gettime(clockid_t clock, struct timespec *at) {
  if (clock != CLOCK_REALTIME && clock != CLOCK_REALTIME_COARSE) return syscall(SYS_clock_gettime, clock, at);
  at->tv_sec = standing();
  at->tv_nsec = 500000000;
  return 0;
}

int gettimeofday(struct timeval *at, void *zone) {
  at->tv_sec = standing();
  at->tv_usec = 500000;
  return 0;
}

time_t time(time_t *at) {
  if (at != NULL) *at = standing();
  return standing();
}
`;

/**
 * A program that is the given one with a clock that stands at `now` (Unix seconds), so that times can be compared to the second and
 * recorded tokens stay valid. Linux with glibc and a C compiler (`cc`).
 */
export async function withStandingClock(
  binary: string,
  now: number,
): Promise<{ readonly binary: string; remove(): Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), "garita-clock-"));
  const [code, library, program] = ["clock.c", "clock.so", "program"].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  await writeFile(code, source);
  await run("cc", ["-shared", "-fPIC", "-O1", "-o", library, code]);
  await writeFile(program, `#!/bin/sh\nLD_PRELOAD='${library}' STANDING_CLOCK=${now} exec '${binary}' "$@"\n`);
  await chmod(program, 0o755);
  return { binary: program, remove: () => rm(folder, { recursive: true, force: true }) };
}
