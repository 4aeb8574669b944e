import { readFile } from "node:fs/promises";
import type { RequestOptions } from "node:https";
import { resolve } from "node:path";
import { messageOf } from "#platform/coded-error";
import type { CommandContext } from "../command.ts";
import { renderFinding } from "../config/codes.ts";
import { loadConfig } from "../config/load.ts";
import { UsageFault } from "../usage-fault.ts";
import type { ServiceOptions } from "./service-options.ts";

/** How the authority is reached. */
export interface Door {
  /** For messages. */
  readonly name: string;
  readonly secure: boolean;
  /** Members for `request` of `node:http` or `node:https`. */
  readonly where: RequestOptions;
}

/** The door that options name: `--admin`, `--url`, or the socket of a configuration. Fails with `UsageFault`. */
export async function doorOf(options: ServiceOptions, context: CommandContext): Promise<Door> {
  const { admin, url } = options;
  if (admin !== undefined && url !== undefined) {
    throw new UsageFault("expected one of --admin and --url, found both", { hinted: true });
  }
  if (url !== undefined) return networkDoor(url, options);
  for (const name of ["bundle", "cert", "key"] as const) {
    if (options[name] !== undefined) throw new UsageFault(`\`--${name}\` is for --url`, { hinted: true });
  }
  if (admin === undefined) return socketDoor(await configuredSocket(options.config ?? "garita.yaml", context));
  const path = /^unix:(?:\/\/)?(.+)$/.exec(admin)?.[1];
  if (path === undefined) {
    throw new UsageFault(`expected \`unix:PATH\` for --admin, found \`${admin}\``, { hinted: true });
  }
  return socketDoor(resolve(path));
}

/** Where `--url` leads, with no trust in anybody yet. Fails with `UsageFault`. */
export function bareDoor(url: string): Door {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed?.protocol !== "https:" || parsed.pathname !== "/" || parsed.search !== "" || parsed.username !== "") {
    throw new UsageFault(`expected \`https://host:port\` for --url, found \`${url}\``, { hinted: true });
  }
  const host = parsed.hostname.replace(/^\[(.*)\]$/, "$1");
  return { name: url, secure: true, where: { host, port: parsed.port === "" ? 443 : parsed.port } };
}

async function networkDoor(url: string, { bundle, cert, key }: ServiceOptions): Promise<Door> {
  const bare = bareDoor(url);
  if (bundle === undefined) {
    throw new UsageFault("expected --bundle with --url: the roots to trust", { hinted: true });
  }
  if ((cert === undefined) !== (key === undefined)) {
    throw new UsageFault("expected --cert and --key together", { hinted: true });
  }
  const own =
    cert === undefined || key === undefined ? {} : { cert: await readMaterial(cert), key: await readMaterial(key) };
  return { ...bare, where: { ...bare.where, ca: await readMaterial(bundle), ...own } };
}

async function readMaterial(path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (cause) {
    throw new UsageFault(`\`${path}\` cannot be read: ${messageOf(cause)}`, { cause });
  }
}

function socketDoor(socketPath: string): Door {
  return { name: `unix:${socketPath}`, secure: false, where: { socketPath, host: "localhost" } };
}

async function configuredSocket(file: string, { environment }: CommandContext): Promise<string> {
  const loaded = await loadConfig(file, environment);
  if (!loaded.ok) {
    const said = loaded.findings.map(renderFinding).join("\n");
    throw new UsageFault(`${said}\nno authority to ask: --admin, --url or --config names one`);
  }
  const { ca } = loaded.config;
  if (ca?.socket === undefined) {
    throw new UsageFault(`\`${file}\` has no \`ca.socket\`: --admin or --url names an authority to ask`);
  }
  return ca.socket;
}
