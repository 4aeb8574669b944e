/**
 * `npm start`: the service with `examples/hello`, and two lines to paste. `--jwt`: with `examples/jwt` and an OpenID provider whose tokens it takes.
 * `--with-envoy` puts a real Envoy and a small upstream in front, through which the lines go.
 */
import { fileURLToPath } from "node:url";
import { runtimeFault } from "#platform/runtime";

const fault = runtimeFault(process.versions.node);
if (fault !== undefined) {
  process.stderr.write(`${fault}\n`);
  process.exit(1);
}

const { ConfigRefused } = await import("#cli/serve/contract");
const { messageOf } = await import("#platform/coded-error");
const { onSignals } = await import("#platform/lifecycle");
const { createLog } = await import("#platform/log");
const { portHint } = await import("./port-hint.ts");
const { startTrial } = await import("./start-trial.ts");
const { trials } = await import("./trials.ts");

const options = ["--jwt", "--with-envoy"];
const args = process.argv.slice(2);
const unknown = args.find((arg) => !options.includes(arg));
if (unknown !== undefined) {
  process.stderr.write(`garita: unknown option \`${unknown}\`; npm start knows ${options.join(" and ")}\n`);
  process.exit(2);
}

const log = createLog({ level: "warn" });
try {
  const print = (line: string) => void process.stdout.write(`${line}\n`);
  const trial = await startTrial(args.includes("--jwt") ? trials.jwt : trials.hello, {
    root: fileURLToPath(new URL("../", import.meta.url)),
    environment: process.env,
    log,
    envoyPort: args.includes("--with-envoy") ? 10000 : undefined,
    tell: print,
  });
  for (const line of trial.lines) print(line);
  const stop = async (): Promise<void> => {
    await trial.stop();
    log.flush();
    process.exit(0);
  };
  onSignals({
    stop: () => void stop(),
    abandon: () => process.exit(1),
    reload: () => void trial.reload(),
  });
} catch (cause) {
  log.flush();
  const messages = cause instanceof ConfigRefused ? cause.messages : [messageOf(cause)];
  for (const message of messages) process.stderr.write(`garita: ${message}\n`);
  const hint = portHint(cause);
  if (hint !== undefined) process.stderr.write(`${hint}\n`);
  process.exit(1);
}
