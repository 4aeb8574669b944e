import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { MAX_DEPTH, MAX_ENTRIES } from "#authz/check/wire/wire-reader";
import { conditionFaultCodes } from "#authz/engine/conditions/fault-codes";
import { mostDiagnostics } from "#authz/rulesets/build";
import { longestBuildMillis } from "#authz/rulesets/builder";
import { directoryLimits } from "#authz/rulesets/read-directory";
import { receiveLimitBytes } from "#authz/transport/listener";
import { webhookLimits } from "#authz/transport/webhook/limits";
import { csrLimits } from "#ca/csr/limits";
import { mostSignedBytes } from "#ca/deny-list/decode-signed";
import { maxDocumentBytes } from "#cli/serve/issuer-keys";
import { mostDenyListBytes } from "#identity/deny-list/encode-deny-list";
import { maxKeys, maxTimeoutMillis } from "#identity/key-sources/load-keys";
import { chainLimit } from "#platform/door/client-chain";
import { defaultDoorLimits } from "#platform/door/door";
import { handshakeLimits } from "#platform/door/handshake-turns";
import { streamMessageLimitBytes } from "#platform/grpc/stream-call";
import { messageLimitBytes } from "#platform/grpc/unary-call";
import { limits as conditionLimits } from "#policy-compiler/conditions/limits";
import { serviceAccountMaxBytes, serviceAccountMaxValues } from "#policy-compiler/document/values/service-account";
import { registrationLimits } from "#policy-compiler/ruleset/registration-limits";
import { responseLimits } from "#policy-compiler/ruleset/response-limits";
import { type DiagnosticCode, diagnosticCodes } from "#policy-compiler/source/codes";
import { mostConditions } from "#policy-compiler/validate/extension-rules";
import { yamlLimits } from "#policy-compiler/yaml/limits";
import { discoveryLimits, shownBytes, shownNames } from "#xds/limits";

const root = new URL("../../../", import.meta.url);
const page = readFileSync(new URL("docs/limits.md", root), "utf8");
const rows = page
  .split("\n")
  .filter((line) => line.startsWith("| ") && !line.startsWith("| Input") && !line.startsWith("| Kept"));

test("every file that the page of limits names is there", () => {
  const files = [...page.matchAll(/`((?:authz|policy-compiler|platform|xds|cli|test)\/[^`]*)`/g)].map(
    ([, path]) => path!,
  );
  assert.ok(files.length > 50);
  for (const path of files) assert.ok(existsSync(fileURLToPath(new URL(path, root))), path);
});

test("every diagnostic and every fault of a condition that the page of limits names is one", () => {
  const codes = [
    ...page.matchAll(/`((?:yaml|folder|policy|crd|document|condition|response|registration)\/[a-z-]+)`/g),
  ].map(([, code]) => code!);
  for (const code of codes) assert.ok(code in diagnosticCodes || code in conditionFaultCodes, code);
  for (const code of Object.keys(diagnosticCodes) as DiagnosticCode[]) {
    if (/too-(?:many|large|deep)|-long$/.test(code)) assert.ok(codes.includes(code), `${code} is not on the page`);
  }
});

const number = (value: number) => value.toLocaleString("en-US");
const mebibytes = (value: number) => `${value / 1024 ** 2} MiB`;

/** A constant of the program, and the beginning of the row that has to tell it. */
const told: readonly (readonly [row: string, value: string])[] = [
  ["| headers, map entries", number(MAX_ENTRIES)],
  ["| reading, compiling and testing", `${longestBuildMillis / 1000} s`],
  ["| errors, and warnings, of an attempt", number(mostDiagnostics)],
  ["| messages inside one another", number(MAX_DEPTH)],
  ["| message above the receive limit", mebibytes(receiveLimitBytes)],
  ["| body above the receive limit", mebibytes(receiveLimitBytes)],
  ["| request as PEM", `${csrLimits.pemCharacters / 1024} KiB`],
  ["| request as DER", `${csrLimits.derBytes / 1024} KiB`],
  ["| deny list: what is revoked", mebibytes(mostDenyListBytes)],
  ["| a deny list that is sent", `${(mostSignedBytes - mostDenyListBytes) / 1024} KiB`],
  ["| elements of a request", number(csrLimits.depth)],
  ["| one name in a request", number(csrLimits.nameBytes)],
  ["| connections of one door", number(defaultDoorLimits.connections)],
  ["| connections of one door", number(defaultDoorLimits.connectionsPerAddress)],
  ["| TLS handshakes under way", number(handshakeLimits.underWay)],
  ["| gRPC: connections without a call", number(defaultDoorLimits.idleConnections)],
  ["| certificates of a client", number(chainLimit)],
  ["| what a client sends in a handshake", `${defaultDoorLimits.barMillis / 1000} s`],
  ["| what a client sends in a handshake", `${defaultDoorLimits.handshakeBytes / 1024} KiB`],
  ["| gRPC: calls that are not answered yet", mebibytes(defaultDoorLimits.callBytes)],
  ["| gRPC: message with a request", `${messageLimitBytes / 1024} KiB`],
  ["| gRPC: message of a stream", mebibytes(streamMessageLimitBytes)],
  ["| names in one request", number(discoveryLimits.names)],
  ["| names that one stream asks for", `${number(discoveryLimits.names)}; ${mebibytes(discoveryLimits.streamBytes)}`],
  ["| names of all streams together", mebibytes(discoveryLimits.totalBytes)],
  ["| a longer name", `${discoveryLimits.nameBytes / 1024} KiB`],
  ["| versions of a name that the stream rejected", number(discoveryLimits.rejectedVersions)],
  ["| resources in one response of delta", mebibytes(discoveryLimits.responseBytes)],
  ["| node, version and everything", `${shownBytes.node} bytes`],
  ["| the words of a rejection", `${shownBytes.message / 1024} KiB`],
  ["| names of a stream on the status page", number(shownNames)],
  ["| webhook: body", mebibytes(webhookLimits.deliveryBytes)],
  ["| webhook: header fields", `${webhookLimits.headerBytes / 1024} KiB`],
  ["| webhook: time that the host signs", `${webhookLimits.clockToleranceSeconds} s`],
  ["| webhook: repeated delivery", `${webhookLimits.rememberedMillis / 3_600_000} hour`],
  ["| webhook: repeated delivery", number(webhookLimits.rememberedMarks)],
  ["| webhook: deliveries that have", `${webhookLimits.hintGapMillis / 1000} s`],
  ["| webhook: connections", number(webhookLimits.connections)],
  [
    "| webhook: TLS handshake",
    `${webhookLimits.handshakeMillis / 1000} s; ${webhookLimits.headersMillis / 1000} s, looked at`,
  ],
  ["| webhook: request that does not", `${webhookLimits.requestMillis / 1000} s`],
  ["| webhook: idle connection", `${webhookLimits.idleMillis / 1000} s`],
  ["| document of keys", mebibytes(maxDocumentBytes)],
  ["| usable keys of a source", number(maxKeys)],
  ["| name, connection, TLS", `${maxTimeoutMillis / 1000} s at most`],
  ["| policy files", number(directoryLimits.files)],
  ["| bytes that are read from the folder", `${directoryLimits.totalSizeBytes / 1024 ** 3} GiB`],
  ["| folders inside one another", number(directoryLimits.depth)],
  ["| one file", mebibytes(yamlLimits.fileBytes)],
  ["| all files together", mebibytes(yamlLimits.folderBytes)],
  ["| collections inside one another", number(yamlLimits.depth)],
  ["| documents in a file", number(yamlLimits.documentsPerFile)],
  ["| nodes of a document", `${number(yamlLimits.documentNodes)}; ${number(yamlLimits.nodesPerFile)}`],
  ["| lexical tokens", number(yamlLimits.documentTokens)],
  ["| nodes that the aliases", number(yamlLimits.aliasNodes)],
  ["| syntax errors told", number(yamlLimits.syntaxErrorsPerFile)],
  ["| service account", number(serviceAccountMaxBytes)],
  ["| expressions in the `cel`", number(mostConditions)],
  ["| headers, or keys of metadata", number(responseLimits.fields)],
  [
    "| name of a header or key",
    [responseLimits.nameBytes, responseLimits.valueBytes, responseLimits.bodyBytes].map(number).join("; "),
  ],
  [
    "| callers of a registration",
    [registrationLimits.callers, registrationLimits.claims, registrationLimits.values].map(number).join("; "),
  ],
  [
    "| DNS names of a registration",
    [registrationLimits.dnsNames, registrationLimits.dnsNameCharacters].map(number).join("; "),
  ],
  ["| values of `serviceAccounts`", number(serviceAccountMaxValues)],
  [
    "| an expression: characters",
    `${number(conditionLimits.textLength)}; ${conditionLimits.nodes}; ${conditionLimits.depth}; ${conditionLimits.loops}`,
  ],
  ["| work of one evaluation", number(conditionLimits.cost)],
  [
    "| a pattern: characters",
    `${conditionLimits.pattern}; ${conditionLimits.patternRepeat}; ${conditionLimits.patternProgram}`,
  ],
  [
    "| one text of an attribute",
    `${conditionLimits.attributeText / 1024} KiB; ${conditionLimits.attributeTotal / 1024} KiB; ${conditionLimits.attributeItems}; ${number(conditionLimits.attributeNodes)}; ${conditionLimits.attributeDepth}`,
  ],
  [
    "| text that is matched",
    `${number(conditionLimits.patternSubject)}; ${conditionLimits.needle}; ${conditionLimits.parts}; ${number(conditionLimits.madeText)}`,
  ],
];

for (const [beginning, value] of told) {
  test(`the page of limits tells ${value} in the row ${beginning}`, () => {
    const row = rows.find((line) => line.startsWith(beginning));
    assert.ok(
      row?.split("|").some((cell) => cell.includes(value)),
      row,
    );
  });
}
