/** `npm run docs`: writes what is generated from tables in the source: the references of `garita.yaml`, of `agent.yaml` and of our own policies with their schemas, faults, diagnostics, attributes of conditions, lints of certificates, refusals of the authority. */
import { mkdirSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { conditionFaultCodes } from "#authz/engine/conditions/fault-codes";
import { decisionReasons } from "#authz/engine/decision";
import { agentSchema } from "#cli/agent/schema";
import { configCodes } from "#cli/config/codes";
import { configSchema, renderSchemaFile } from "#cli/config/schema";
import type { ConfigSchema } from "#cli/config/schema-parts";
import { testFileSchema } from "#cli/policies/test-file";
import { requestSchema } from "#cli/request/schema";
import { keySourceFaults } from "#identity/key-sources/faults";
import { faultCodes } from "#platform/fault-codes";
import { fetchFaultCodes } from "#platform/fetch/fault-codes";
import { renderAttributesPage } from "./attributes-page.ts";
import { renderRefusalsPage } from "./ca-refusals-page.ts";
import { renderDiagnosticsPage } from "./diagnostics-page.ts";
import { renderGaritaPolicies } from "./garita-policies-page.ts";
import { renderLintsPage } from "./lints-page.ts";
import { renderPolicySchema } from "./policy-schema.ts";
import { renderRegistrationSchema } from "./registration-schema.ts";

/** The generated files, by path from the root of the repository. */
export function generatedDocs(): ReadonlyMap<string, string> {
  return new Map([
    ["docs/garita.schema.json", renderSchemaFile()],
    ["docs/config.md", renderReference()],
    ["docs/agent-config.md", renderAgentReference()],
    ["docs/garita-agent.schema.json", renderAgentSchema()],
    ["docs/faults.md", renderFaults()],
    ["docs/diagnostics.md", renderDiagnosticsPage()],
    ["docs/policy-tests.md", renderPolicyTests()],
    ["docs/garita-policies.md", renderGaritaPolicies()],
    ["docs/garita-authorization-policy.schema.json", renderPolicySchema()],
    ["docs/garita-workload-registration.schema.json", renderRegistrationSchema()],
    ["docs/attributes.md", renderAttributesPage()],
    ["docs/certificate-lints.md", renderLintsPage()],
    ["docs/ca-refusals.md", renderRefusalsPage()],
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
\`\`\`

- Keys that do not exist are refused, with the line and column where they stand, and with a suggestion. Anchors and aliases are refused too.
- Paths of files are relative to the folder of the configuration file.
- Every value can be overridden by an environment variable: \`GARITA_\` and the path to it, with two underscores for each step down:
  \`GARITA_LOGGING__LEVEL=debug\`, \`GARITA_LISTENERS__0__ADDRESS=127.0.0.1:9000\`, \`GARITA_LISTENERS__0__EXPLAIN_TO_CLIENT=true\`. Case
  does not matter. Lists and objects are JSON. A variable with two underscores that leads to no key is refused.
- The file, and every file that it names, is read again when it changes and on SIGHUP. Listeners that did not change keep their connections;
  a configuration with a fault changes nothing but the status page, and is an error line in the log.

## Keys
`;

function renderReference(): string {
  const lines = [intro, "| Key | Type | Default | Meaning |", "|---|---|---|---|"];
  for (const row of rows(configSchema, "", [])) lines.push(row);
  lines.push("", "## Faults", "", "| Code | Meaning |", "|---|---|");
  for (const [code, meaning] of Object.entries(configCodes)) lines.push(`| \`${code}\` | ${meaning} |`);
  return `${lines.join("\n")}\n`;
}

const agentIntro = `# Configuration of the agent

\`garita agent\` reads \`agent.yaml\` (\`--config\` names another file). This page is generated from the schema that checks the file; [garita-agent.schema.json](garita-agent.schema.json) gives completion in
editors, and \`garita agent check-config --config FILE\` says what is wrong with one. What the agent does stands in [agent.md](agent.md).

Keys that do not exist are refused, with the line and column where they stand. Paths of files are relative to the folder of the configuration. Values can be overridden by the environment as those of
\`garita.yaml\` ([config.md](config.md)), whose codes of faults count here too.

## Keys
`;

function renderAgentReference(): string {
  const lines = [agentIntro, "| Key | Type | Default | Meaning |", "|---|---|---|---|", ...rows(agentSchema, "", [])];
  return `${lines.join("\n")}\n`;
}

function renderAgentSchema(): string {
  const file = { $schema: "http://json-schema.org/draft-07/schema#", title: "agent.yaml", ...agentSchema };
  return `${JSON.stringify(file, undefined, 2)}\n`;
}

const policyTests = `# Requests and policy tests

How a request is written down for \`garita eval -f\`, \`garita explain -f\` and the admin API's \`/v1/explain\`, and how \`garita test\` reads its
\`*_test.yaml\` files. This page is generated from the schemas that check them.

A described request is asked exactly as an Envoy with the filter of the README would ask, by one that verifies client certificates. Everything has a default: \`{}\` is a
plaintext \`GET /\` from 127.0.0.1.

\`\`\`yaml
# hello_test.yaml, anywhere in the policy folder
workload: { namespace: hello, workload: hello-v1, port: 8080 }
callers:
  anybody: {}
  nginx: { principal: hello.mesh/ns/web/sa/nginx, address: 10.0.0.21 }
requests:
  greeting: { method: GET, path: /hello }
  post: { method: POST, path: /hello, headers: ["content-type: text/plain"] }
  database: { tcp: true, workload: { namespace: hello, labels: { app: db }, port: 5432 } }
expect:
  - { callers: [anybody, nginx], requests: [greeting], outcome: allow }
  - { callers: [nginx], requests: [post], outcome: allow, rule: "ns[hello]-policy[hello-readers]-rule[1]" }
\`\`\`

Every caller is tried with every request. **A pair that \`expect\` does not list must be denied**; a pair that two items list is an error. A workload is described like a
listener's \`workload\` in \`garita.yaml\`: \`workload\` names a WorkloadEntry, \`namespace\` with \`labels\` (\`{}\` for none) needs none. **A workload that is not found fails its tests**, as does any other description that reaches no policy, unless the expectation names that
\`reason\` (\`workload/unknown\`, \`workload/ambiguous\`, \`workload/incomplete\`, \`request/unreadable\`).
`;

function renderPolicyTests(): string {
  const table = (schema: ConfigSchema) => [
    "| Key | Type | Default | Meaning |",
    "|---|---|---|---|",
    ...rows(schema, "", []),
  ];
  const lines = [
    policyTests,
    "## A test file",
    "",
    ...table(testFileSchema),
    "",
    "## A request file",
    "",
    ...table(requestSchema),
  ];
  return `${lines.join("\n")}\n`;
}

function renderFaults(): string {
  const lines = [
    "# Faults",
    "",
    "Codes in logs, on the status page, in answers of the admin API and on the command line. What can be wrong with policies stands in",
    "[diagnostics.md](diagnostics.md), with `garita.yaml` in [config.md](config.md). This page is generated from tables in the source.",
    "",
    "## Operations that fail",
    "",
    "| Code | Meaning |",
    "|---|---|",
    ...Object.entries(faultCodes).map(([code, meaning]) => `| \`${code}\` | ${meaning} |`),
    "",
    "## Keys of issuers",
    "",
    "Why the keys of an issuer could not be refreshed: on the status page (`issuers[].fault`), in the log, in metrics and in `garita jwks`.",
    "",
    "| Code | Meaning |",
    "|---|---|",
    ...Object.entries({ ...keySourceFaults, ...fetchFaultCodes }).map(
      ([code, meaning]) => `| \`${code}\` | ${meaning} |`,
    ),
    "",
    "## Reasons of decisions",
    "",
    "In log lines, in dynamic metadata, and in `garita eval` and `explain`. The first are policy; the others are refusals.",
    "",
    "| Reason | Meaning |",
    "|---|---|",
    ...Object.entries(decisionReasons).map(([reason, meaning]) => `| \`${reason}\` | ${meaning} |`),
    "",
    "## Conditions without a value",
    "",
    "Why a condition (`cel`) of a rule, or a value of its answer, could not be worked out: in log lines of denials (`conditionFaults`, with the rule), in",
    "`garita_condition_faults_total` of the metrics, and in `garita eval` and `explain`. Such a rule does not allow, and does deny, audit and delegate.",
    "",
    "| Code | Meaning |",
    "|---|---|",
    ...Object.entries(conditionFaultCodes).map(([code, meaning]) => `| \`${code}\` | ${meaning} |`),
  ];
  return `${lines.join("\n")}\n`;
}

function rows(schema: ConfigSchema, path: string, out: string[]): string[] {
  for (const [name, member] of Object.entries(schema.properties ?? {})) {
    const key = path === "" ? name : `${path}.${name}`;
    const needed = schema.required?.includes(name) === true ? "required" : defaultText(member);
    out.push(`| \`${key}${listMark(member)}\` | ${typeText(member)} | ${needed} | ${member.description} |`);
    rows(member.items ?? member, `${key}${listMark(member)}`, out);
    if (typeof member.additionalProperties === "object") rows(member.additionalProperties, `${key}.NAME`, out);
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
  for (const [path, text] of generatedDocs()) writeFileSync(new URL(path, root), text);
}
