import { randomBytes } from "node:crypto";
import { resolve } from "node:path";
import { createGrpcCheck } from "#authz/check/check";
import { createHttpCheck } from "#authz/check/http-check";
import { directorySource } from "#authz/rulesets/directory-source";
import { fileSource } from "#authz/rulesets/file-source";
import { prepareEngineInSlices } from "#authz/rulesets/prepare";
import { systemClock } from "#platform/clock";
import { createIds } from "#platform/ids";
import type { LogOutput } from "#platform/log";
import { createMetrics } from "#platform/metrics";
import { moduleAt } from "#platform/thread";
import { systemTimers } from "#platform/timers";
import { loadConfig } from "../config/load.ts";
import type { RequestDescription } from "../request/description.ts";
import { readVersion } from "../version.ts";
import { createAuthoritySwitch } from "./authority/switch.ts";
import type { ServiceParts } from "./contract.ts";
import { createOutside } from "./outside.ts";
import { createRevocations } from "./revocations/create.ts";

export interface AssembleOptions {
  readonly config: string;
  /** Compiled rules instead of the policy folder. */
  readonly ruleset?: string;
  /** False: every decision asks every rule. */
  readonly index?: boolean;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly log: LogOutput;
}

/** The parts of the real service: real clock, real files, real checks. */
export async function assemble({
  config,
  ruleset,
  index = true,
  environment,
  log,
}: AssembleOptions): Promise<ServiceParts> {
  const configFile = resolve(config);
  const version = await readVersion();
  const nextId = createIds({ nowMillis: systemClock.nowMillis, random: randomBytes });
  const metrics = createMetrics();
  const prepare: ServiceParts["prepare"] = (bytes, digest) =>
    prepareEngineInSlices(bytes, digest, systemClock.monotonicMillis, { index });
  return {
    // The whole path stands in faults: whoever reads a log or the status is in another folder.
    loadConfig: () => loadConfig(configFile, environment),
    configFile,
    version,
    clock: systemClock,
    timers: systemTimers,
    nextId,
    log,
    metrics,
    createGrpcCheck,
    createHttpCheck,
    createSource: ({ directory }) =>
      ruleset === undefined ? directorySource(directory) : fileSource(resolve(ruleset)),
    async createGitSource(settings, serviceLog) {
      if (ruleset !== undefined) return fileSource(resolve(ruleset));
      // PERF: most services have no policies in Git.
      const { gitSource } = await import("#authz/rulesets/git/git-source");
      return gitSource({
        settings,
        outside: environment,
        testModule: moduleAt("../policies/test-module", import.meta.url).href,
        clock: systemClock,
        timers: systemTimers,
        random: Math.random,
        log: serviceLog,
      });
    },
    async createBundleSource(settings, serviceLog) {
      if (ruleset !== undefined) return fileSource(resolve(ruleset));
      // PERF: most services take no bundles.
      const { bundleSource } = await import("#authz/rulesets/bundle/bundle-source");
      return bundleSource({
        settings,
        environment,
        prepare,
        clock: systemClock,
        timers: systemTimers,
        random: Math.random,
        log: serviceLog,
      });
    },
    prepare,
    createRevocations: ({ onList }) =>
      createRevocations({
        onList,
        clock: systemClock,
        metrics,
        // PERF: most services follow no authority elsewhere.
        async follow(followed, held, onNext) {
          const [{ followRemote }, { openDenyListLink }] = await Promise.all([
            import("./revocations/follow-remote.ts"),
            import("#ca/deny-list/open-link"),
          ]);
          const outside = { clock: systemClock, timers: systemTimers, chance: Math.random, log: log.log };
          return followRemote(followed, held, onNext, {
            openLink: (start, events) => openDenyListLink(start, events, outside),
            ...outside,
          });
        },
      }),
    createAuthority: (ruleSet, onDenyList) =>
      createAuthoritySwitch({
        onDenyList,
        environment,
        metrics,
        log: log.log,
        // PERF: most services have no authority.
        async start({ prepared, jwt }, observers) {
          const { startAuthority } = await import("./authority/start.ts");
          const parts = { environment, jwt, clock: systemClock, timers: systemTimers, log: log.log, version, nextId };
          return startAuthority(prepared, { ...parts, ...observers, ruleSet });
        },
      }),
    createOutside: (given) => createOutside({ ...given, environment }),
    async explain(description, checks) {
      const { explainRequest } = await import("../request/explain-request.ts");
      // The admin API has checked its shape.
      return explainRequest(description as RequestDescription, checks);
    },
  };
}
