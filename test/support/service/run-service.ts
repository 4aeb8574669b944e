import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import type { TestContext } from "node:test";
import type { BuildResult, RuleSource } from "#authz/rulesets/build";
import { loadConfig } from "#cli/config/load";
import type { Service, ServiceParts } from "#cli/serve/contract";
import { createOutside } from "#cli/serve/outside";
import { createRevocations } from "#cli/serve/revocations/create";
import { startService } from "#cli/serve/start-service";
import { systemClock } from "#platform/clock";
import { createIds } from "#platform/ids";
import { createLog } from "#platform/log";
import { createMetrics } from "#platform/metrics";
import { systemTimers } from "#platform/timers";
import { allowingGrpc, tellingHttp } from "./fake-checks.ts";

/** A source whose result the test decides. */
function fakeSource(build: () => Promise<BuildResult> | BuildResult): RuleSource {
  return {
    name: "test",
    build: async () => build(),
    watch: async () => async () => undefined,
    close: async () => undefined,
  };
}

const noRules: BuildResult = { kind: "failed", code: "source/missing", message: "there is nothing" };

export interface RunningService {
  readonly service: Service;
  /** Lines of the log so far. */
  readonly lines: () => readonly Record<string, unknown>[];
}

/** Starts a service over a configuration file with fakes for what the test does not replace; it ends with the test. */
export async function runService(
  t: TestContext,
  configFile: string,
  parts: Partial<ServiceParts> = {},
): Promise<RunningService> {
  const stream = new PassThrough();
  const chunks: string[] = [];
  stream.on("data", (chunk: Buffer) => chunks.push(chunk.toString("utf8")));
  const service = await startService({
    loadConfig: () => loadConfig(configFile, {}),
    configFile,
    version: "0.0.0-test",
    clock: systemClock,
    timers: systemTimers,
    nextId: createIds({ nowMillis: Date.now, random: (size) => new Uint8Array(size) }),
    log: createLog({ level: "info", stream }),
    metrics: createMetrics(),
    createGrpcCheck: () => allowingGrpc,
    createHttpCheck: () => tellingHttp,
    createSource: () => fakeSource(() => noRules),
    createGitSource: async () => fakeSource(() => noRules),
    createBundleSource: async () => fakeSource(() => noRules),
    prepare: () => {
      throw new Error("no rule set expected");
    },
    createOutside: (given) => createOutside({ ...given, environment: {} }),
    createRevocations: ({ onList }) =>
      createRevocations({
        onList,
        clock: systemClock,
        metrics: createMetrics(),
        follow: () => assert.fail("no authority elsewhere expected"),
      }),
    createAuthority: () => ({
      prepare: async () => undefined,
      become: async () => undefined,
      wanted: () => undefined,
      addresses: () => [],
      summary: () => undefined,
      stop: async () => undefined,
    }),
    explain: () => ({ ok: false, status: 503, code: "rules/none", message: "no rule set is in force yet" }),
    ...parts,
  });
  t.after(() => service.stop({ lingerMillis: 0, deadlineMillis: 0 }));
  return {
    service,
    lines: () =>
      chunks
        .join("")
        .split("\n")
        .filter((line) => line !== "")
        .map((line) => JSON.parse(line) as Record<string, unknown>),
  };
}
