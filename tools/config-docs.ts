/** `npm run config-docs`: writes what is generated from the description of `garita.yaml`: its schema for editors and its reference. */
import { mkdirSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { configCodes } from "#cli/config/codes";
import { type ConfigSchema, configSchema, renderSchemaFile } from "#cli/config/schema";
import { faultCodes } from "#platform/fault-codes";

/** The generated files, by path from the root of the repository. */
export function configDocs(): ReadonlyMap<string, string> {
  return new Map([
    ["docs/garita.schema.json", renderSchemaFile()],
    ["docs/config.md", renderReference()],
    ["docs/faults.md", renderFaults()],
  ]);
}

const intro = `# Configuration

\`garita serve\` reads \`garita.yaml\` (\`--config\` names another file). This page is generated from the schema that checks the file;
[garita.schema.json](garita.schema.json) gives completion in editors:

\`\`\`yaml
# yaml-language-server: $schema=./docs/garita.schema.json
listeners:
  - name: envoy
    protocol: grpc
    address: 127.0.0.1:9191
    peerIdentity: verified
policies:
  directory: policies
admin:
  address: 127.0.0.1:9190
  socket: /run/garita/admin.sock
\`\`\`

- Keys that do not exist are refused, with the line and column where they stand, and with a suggestion. Anchors and aliases are refused too.
- Paths of files are relative to the folder of the configuration file.
- Every value can be overridden by an environment variable: \`GARITA_\` and the path to it, with two underscores for each step down:
  \`GARITA_LOGGING__LEVEL=debug\`, \`GARITA_LISTENERS__0__ADDRESS=127.0.0.1:9000\`, \`GARITA_LISTENERS__0__EXPLAIN_TO_CLIENT=true\`. Case
  does not matter. Lists and objects are JSON. A variable with two underscores that leads to no key is refused.
- The file, and every file that it names, is read again when it changes and on SIGHUP. Listeners that did not change keep their connections;
  a configuration with a fault changes nothing but the status page.

## Keys
`;

function renderReference(): string {
  const lines = [intro, "| Key | Type | Default | Meaning |", "|---|---|---|---|"];
  for (const row of rows(configSchema, "", [])) lines.push(row);
  lines.push("", "## Faults", "", "| Code | Meaning |", "|---|---|");
  for (const [code, meaning] of Object.entries(configCodes)) lines.push(`| \`${code}\` | ${meaning} |`);
  return `${lines.join("\n")}\n`;
}

function renderFaults(): string {
  const lines = [
    "# Faults",
    "",
    "Codes in logs, on the status page and in answers of the admin API. Faults of a configuration file stand in [config.md](config.md), those of",
    "policies in the diagnostics of `garita check`, reasons of denials in the decision log. This page is generated from `platform/fault-codes.ts`.",
    "",
    "| Code | Meaning |",
    "|---|---|",
    ...Object.entries(faultCodes).map(([code, meaning]) => `| \`${code}\` | ${meaning} |`),
  ];
  return `${lines.join("\n")}\n`;
}

function rows(schema: ConfigSchema, path: string, out: string[]): string[] {
  for (const [name, member] of Object.entries(schema.properties ?? {})) {
    const key = path === "" ? name : `${path}.${name}`;
    const needed = schema.required?.includes(name) === true ? "required" : defaultText(member);
    out.push(`| \`${key}${listMark(member)}\` | ${typeText(member)} | ${needed} | ${member.description} |`);
    rows(member.items ?? member, `${key}${listMark(member)}`, out);
  }
  return out;
}

function listMark(schema: ConfigSchema): string {
  return schema.type === "array" ? "[]" : "";
}

function defaultText({ default: value }: ConfigSchema): string {
  return value === undefined ? "" : `\`${value}\``;
}

function typeText(schema: ConfigSchema): string {
  if (schema.enum !== undefined) return schema.enum.map((value) => `\`${value}\``).join(", ");
  if (schema.minimum !== undefined) return `integer, ${schema.minimum} to ${schema.maximum}`;
  if (schema.type === "array") return `list of ${schema.items?.type === "object" ? "objects" : "texts"}`;
  return schema.type === "string" ? "text" : schema.type;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const root = new URL("../", import.meta.url);
  mkdirSync(new URL("docs/", root), { recursive: true });
  for (const [path, text] of configDocs()) writeFileSync(new URL(path, root), text);
}
