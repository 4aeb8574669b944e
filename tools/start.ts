/**
 * `npm start`: the service with `examples/hello`, and two lines to paste. `npm start -- --with-envoy` puts a real Envoy and a small upstream in
 * front, through which the two lines go.
 */
import { fileURLToPath } from "node:url";
import { runtimeFault } from "#platform/runtime";

const fault = runtimeFault(process.versions.node);
if (fault !== undefined) {
  process.stderr.write(`${fault}\n`);
  process.exit(1);
}

const { assemble } = await import("#cli/serve/assemble");
const { startService, ConfigRefused } = await import("#cli/serve/start-service");
const { renderAddress } = await import("#platform/address");
const { messageOf } = await import("#platform/coded-error");
const { onSignals } = await import("#platform/lifecycle");
const { createLog } = await import("#platform/log");

const args = process.argv.slice(2);
const unknown = args.find((arg) => arg !== "--with-envoy");
if (unknown !== undefined) {
  process.stderr.write(`garita: unknown option \`${unknown}\`; npm start knows --with-envoy\n`);
  process.exit(2);
}

const config = fileURLToPath(new URL("../examples/hello/garita.yaml", import.meta.url));
const log = createLog({ level: "warn" });
try {
  const envoy = args.includes("--with-envoy") ? await import("./start-envoy.ts") : undefined;
  const binary = await envoy?.prepareDemo((line) => process.stdout.write(`${line}\n`));
  const service = await startService(await assemble({ config, environment: process.env, log }));
  const demo = binary === undefined ? undefined : await envoy?.startDemo(binary, service.addresses());
  const trial = demo?.address ?? renderAddress(service.addresses().get("try")!);
  const lines = [
    "",
    "Garita answers, with the policies of examples/hello/policies:",
    ...[...service.addresses()].map(([name, address]) => `  listener ${name.padEnd(6)} ${renderAddress(address)}`),
    ...service.adminAddresses().map((address) => `  admin           ${address}  (/v1/status, /metrics)`),
    ...(demo?.lines ?? []),
    "",
    "Ask it, in another terminal:",
    `  curl -i http://${trial}/hello          # allowed`,
    `  curl -i http://${trial}/hello/admin    # denied`,
    ...(demo === undefined
      ? ["(These ask Garita itself, as an Envoy would; npm start -- --with-envoy shows an application behind it.)"]
      : []),
    "",
    "Edit a policy: it is in force in under a second. Ctrl-C ends it.",
    "",
  ];
  process.stdout.write(`${lines.join("\n")}\n`);
  const stop = async (): Promise<void> => {
    await demo?.stop();
    await service.stop({ lingerMillis: 0, deadlineMillis: 2_000 });
    log.flush();
    process.exit(0);
  };
  onSignals({
    stop: () => void stop(),
    abandon: () => process.exit(1),
    reload: () => void service.reload(),
  });
} catch (cause) {
  log.flush();
  const messages = cause instanceof ConfigRefused ? cause.messages : [messageOf(cause)];
  for (const message of messages) process.stderr.write(`garita: ${message}\n`);
  process.exit(1);
}
