import { join } from "node:path";
import { assemble } from "#cli/serve/assemble";
import { startService } from "#cli/serve/start-service";
import { renderAddress } from "#platform/address";
import type { LogOutput } from "#platform/log";
import { prepareTrialAuthority } from "./trial-authority.ts";
import { type Trial, trialAuthority } from "./trials.ts";

/** Where and how a trial runs. */
export interface TrialOptions {
  /** The repository's folder, or one with an `examples/` like it. */
  readonly root: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly log: LogOutput;
  /** Where clients reach Envoy on loopback, 0 for a free port; undefined: without one. */
  readonly envoyPort: number | undefined;
  /** Told at once what takes a while. */
  readonly tell: (line: string) => void;
}

/** A trial that runs. */
export interface StartedTrial {
  /** For people: what runs, and what to paste. */
  readonly lines: readonly string[];
  /** Where the lines to paste ask, `host:port`. */
  readonly address: string;
  reload(): Promise<unknown>;
  stop(): Promise<void>;
}

/** Starts the service over an example, and what the example needs beside it. Fails with `ConfigRefused` or a line for people; then nothing is left running. */
export async function startTrial(trial: Trial, options: TrialOptions): Promise<StartedTrial> {
  const { root, environment, log, envoyPort, tell } = options;
  const started: { stop(): Promise<void> }[] = [];
  const stop = async (): Promise<void> => {
    for (const one of started.splice(0).reverse()) await one.stop();
  };
  try {
    const envoy = envoyPort === undefined ? undefined : await import("./start-envoy.ts");
    const binary = await envoy?.prepareDemo(envoyPort ?? 0, tell);
    let issuer: { readonly issuer: string } | undefined;
    if (trial.issuerPort !== undefined) {
      // ORDER: before the service, whose configuration names the file with the authority of its certificate.
      const { startTrialIssuer } = await import("./trial-issuer.ts");
      const running = await startTrialIssuer(trial.issuerPort, join(root, trialAuthority));
      started.push(running);
      issuer = running;
    }
    const config = join(root, "examples", trial.example, trial.config);
    const authorityNote = await prepareTrialAuthority(config, environment);
    const service = await startService(await assemble({ config, environment, log }));
    started.push({ stop: () => service.stop({ lingerMillis: 0, deadlineMillis: 2_000 }) });
    const addresses = service.addresses();
    const demo =
      binary === undefined ? undefined : await envoy?.startDemo(binary, envoyPort ?? 0, addresses, trial.workload);
    if (demo !== undefined) started.push(demo);
    const address = demo?.address ?? renderAddress(addresses.get("try")!);
    return {
      address,
      reload: service.reload,
      stop,
      lines: [
        "",
        `Garita answers, with the policies of examples/${trial.example}/policies:`,
        ...[...addresses].map(([name, each]) => `  listener ${name.padEnd(7)} ${renderAddress(each)}`),
        ...service.adminAddresses().map((each) => `  admin            ${each}  (/v1/status, /metrics)`),
        ...service
          .authorityAddresses()
          .map(({ name, address: each }) => `  authority ${name.padEnd(7)}${renderAddress(each)}`),
        ...(issuer === undefined ? [] : [`  provider         ${issuer.issuer}`]),
        ...(demo?.lines ?? []),
        "",
        "Ask it, in another terminal, in the repository's folder:",
        ...trial.lines(address).map((line) => `  ${line}`),
        ...(demo === undefined
          ? ["(These ask Garita itself, as an Envoy would; --with-envoy shows an application behind it.)"]
          : []),
        ...(trial.authorityLines === undefined
          ? []
          : [
              "",
              "Have a certificate issued, and look at it:",
              ...trial.authorityLines.map((line) => `  ${line}`),
              ...authorityNote,
            ]),
        ...(trial.note === undefined ? [] : [`(${trial.note})`]),
        "",
        "Edit a policy: it is in force in under a second. Ctrl-C ends it.",
        "",
      ],
    };
  } catch (fault) {
    await stop();
    throw fault;
  }
}
