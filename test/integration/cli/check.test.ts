import assert from "node:assert/strict";
import { chmod, symlink } from "node:fs/promises";
import { relative } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { diagnosticFormats } from "#cli/report/report";
import { type Element, readXml } from "#test/support/cli/read-xml";
import { cli, folderOf, policy, readers } from "#test/support/cli/run-cli";

const hostless = policy("hosts", "rules: [{ to: [{ operation: { hosts: [a.example] } }] }]");
const broken = policy("broken", "rules: [{ to: [{ operation: { methods: [GET], hots: [a] } }] }]");

/** Folders, and the status of `check` and of `check --fail-on warning`. */
const folders: readonly (readonly [name: string, files: Record<string, string>, status: number, gated: number])[] = [
  ["valid", { "p.yaml": readers }, 0, 0],
  ["empty", {}, 0, 5],
  ["without policies", { "notes.md": "# hello", "values.yaml": "a: 1\n" }, 0, 5],
  ["with a warning", { "a/p.yaml": hostless }, 0, 5],
  ["with an error", { "a/p.yaml": broken }, 3, 3],
  ["with an error and a warning", { "a/p.yaml": broken, "b.yaml": hostless }, 3, 3],
  ["that is no YAML", { "p.yaml": "a: [" }, 3, 3],
  ["with a hostile name", { "a b,c:d%\u001b[2J é.yaml": broken }, 3, 3],
];

for (const [name, files, status, gated] of folders) {
  test(`a folder ${name}: ${status}, with the gate ${gated}, in every format`, async (t) => {
    const folder = await folderOf(t, files);
    for (const format of diagnosticFormats) {
      const plain = await cli(["check", folder, "--format", format]);
      assert.deepEqual([plain.status, plain.err], [status, ""], format);
      const gate = await cli(["check", folder, "--format", format, "--fail-on", "warning"]);
      assert.deepEqual([gate.status, gate.out], [gated, plain.out], format);
      wellFormed[format](plain.out, folder);
    }
  });
}

/** What must hold of any output in a format. */
const wellFormed: Record<(typeof diagnosticFormats)[number], (out: string, folder: string) => void> = {
  text(out) {
    assert.match(out, /(valid: \d+ Authorization|the policies are not valid)[^\n]*\n$/);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: what could steer a terminal
    assert.doesNotMatch(out, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/);
  },
  json(out, folder) {
    const { valid, errors, warnings, notes, diagnostics } = JSON.parse(out);
    assert.equal(diagnostics.length, errors + warnings + notes);
    assert.equal(valid, errors === 0);
    for (const { file } of diagnostics) assert.ok(file === folder || file.startsWith(`${folder}/`), file);
  },
  junit: (out) => countsHold(readXml(out)),
  sarif: (out) => sarifHolds(JSON.parse(out)),
  github(out) {
    for (const line of out.split("\n").slice(0, -1)) {
      assert.match(
        line,
        /^::(error|warning|notice) file=[^:,]+,line=\d+,(col=\d+,)?endLine=\d+,(endColumn=\d+,)?title=[^:,]+::[^\r\n]+$/u,
      );
    }
  },
};

/** The counts of a suite are those of its cases, those of the root the sum of its suites. */
function countsHold(root: Element): void {
  assert.equal(root.name, "testsuites");
  const count = (element: Element, child: string) => element.children.filter(({ name }) => name === child).length;
  let failures = 0;
  for (const suite of root.children) {
    assert.equal(suite.name, "testsuite");
    const failed = suite.children.filter((each) => count(each, "failure") > 0).length;
    assert.deepEqual(
      [suite.attributes["tests"], suite.attributes["failures"]],
      [`${suite.children.length}`, `${failed}`],
    );
    for (const { name, attributes } of suite.children) {
      assert.equal(name, "testcase");
      assert.ok(attributes["name"] && attributes["classname"]);
    }
    failures += failed;
  }
  assert.equal(root.attributes["failures"], `${failures}`);
}

interface Sarif {
  readonly version: string;
  readonly $schema: string;
  readonly runs: readonly {
    readonly columnKind: string;
    readonly tool: { readonly driver: { readonly name: string; readonly rules: readonly { readonly id: string }[] } };
    readonly results: readonly {
      readonly level: string;
      readonly ruleId: string;
      readonly ruleIndex: number;
      readonly message: { readonly text: string };
      readonly locations: readonly {
        readonly physicalLocation: {
          readonly artifactLocation: { readonly uri: string };
          readonly region: Readonly<Record<"startLine" | "startColumn" | "endLine" | "endColumn", number>>;
        };
      }[];
    }[];
  }[];
}

/** SARIF 2.1.0: the required properties of §3.13 to §3.30, and the references between them. */
function sarifHolds({ version, $schema, runs }: Sarif): void {
  assert.equal(version, "2.1.0");
  assert.match($schema, /sarif-2\.1\.0/);
  assert.equal(runs.length, 1);
  const [{ tool, results, columnKind }] = runs as [Sarif["runs"][number]];
  assert.deepEqual([tool.driver.name, columnKind], ["garita", "utf16CodeUnits"]);
  for (const { level, ruleId, ruleIndex, message, locations } of results) {
    assert.ok(["error", "warning", "note"].includes(level));
    assert.equal(tool.driver.rules[ruleIndex]?.id, ruleId);
    assert.ok(message.text.length > 0);
    const [{ physicalLocation: place }] = locations as [(typeof locations)[number]];
    assert.match(place.artifactLocation.uri, /^[\w./:~!$&'()*+,;=@%-]+$/, "a URI");
    const { startLine, startColumn, endLine, endColumn } = place.region;
    assert.ok(startLine >= 1 && startColumn >= 1 && endLine >= startLine && endColumn >= 1);
  }
}

test("every format names the same diagnostics at the same places", async (t) => {
  const folder = await folderOf(t, { "a/p.yaml": broken, "b.yaml": hostless, "c.yaml": "x: 1\n" });
  const out = async (format: string) => (await cli(["check", folder, "--format", format])).out;
  const { diagnostics } = JSON.parse(await out("json")) as {
    diagnostics: readonly { code: string; severity: string; file: string; start: { line: number; column: number } }[];
  };
  const wanted = diagnostics.map(
    ({ code, severity, file, start }) => `${file}:${start.line}:${start.column} ${severity} ${code}`,
  );
  assert.deepEqual(wanted, [
    `${folder}/a/p.yaml:4:55 error document/unknown-field`,
    `${folder}/b.yaml:4:47 warning lint/host-without-port`,
    `${folder}/c.yaml:1:1 note document/no-kind`,
  ]);
  const text = [...(await out("text")).matchAll(/^(.+?): (\w+)\[(\S+)\]: /gm)];
  assert.deepEqual(
    text.map(([, place, severity, code]) => `${place} ${severity} ${code}`),
    wanted,
  );
  const [run] = (JSON.parse(await out("sarif")) as Sarif).runs;
  assert.deepEqual(
    run?.results.map(({ level, ruleId, locations }) => {
      const { artifactLocation, region } = locations[0]!.physicalLocation;
      return `${fileURLToPath(artifactLocation.uri)}:${region.startLine}:${region.startColumn} ${level} ${ruleId}`;
    }),
    wanted,
  );
  const github = [...(await out("github")).matchAll(/^::(\w+) file=(.*?),line=(\d+),col=(\d+),.*title=(.*?)::/gm)];
  assert.deepEqual(
    github.map(([, command, file, line, column, code]) => {
      return `${file}:${line}:${column} ${command === "notice" ? "note" : command} ${code}`;
    }),
    wanted,
  );
  const cases = readXml(await out("junit")).children.flatMap(({ children }) => children);
  assert.deepEqual(
    cases.map(({ attributes, children }) => {
      const place = /^.*?:\d+:\d+(?= )/.exec(attributes["name"] ?? "")?.[0];
      const [{ name, text }] = children as [Element];
      return `${place} ${name === "failure" ? "error" : /^\w+/.exec(text)?.[0]} ${attributes["classname"]}`;
    }),
    wanted,
  );
});

test("a folder without a policy is told apart from one that is right", async (t) => {
  const folder = await folderOf(t, { "a/mesh.yaml": "trustDomain: a\n", "b_test.yaml": "a: 1\n" });
  assert.deepEqual(await cli(["check", folder]), {
    status: 0,
    out: `${folder}:1:1: warning[folder/no-policies]: no policy documents found

${folder}/a/mesh.yaml:1:1: note[document/no-kind]: passed over a document without \`apiVersion\` and \`kind\` (\`mesh.yaml\` is read at the root of the folder)
${folder}/b_test.yaml:1:1: note[folder/policy-test]: passed over policy tests, which \`garita test\` runs

valid: 0 AuthorizationPolicies, 0 rules, 1 warning, 2 notes
`.replace("rules,", `rules, digest ${(await cli(["check", folder])).out.match(/digest (\w+)/)?.[1]},`),
    err: "",
  });
  const denying = await folderOf(t, { "p.yaml": policy("nothing", "action: ALLOW") });
  assert.equal((await cli(["check", denying, "--fail-on", "warning"])).status, 0, "a policy without rules is one");
});

test("files are named from where the user stands, however the folder is", async (t) => {
  const folder = await folderOf(t, { "a b/p.yaml": broken });
  const here = relative(process.cwd(), folder);
  for (const [given, seen] of [
    [folder, folder],
    [`${folder}/`, folder],
    [`${folder}/./a b/..`, folder],
    [here, here],
    [`./${here}`, here],
  ] as const) {
    const { diagnostics } = JSON.parse((await cli(["check", given, "--format", "json"])).out);
    assert.equal(diagnostics[0].file, `${seen}/a b/p.yaml`, given);
  }
  const sarif = JSON.parse((await cli(["check", here, "--format", "sarif"])).out) as Sarif;
  const uri = sarif.runs[0]?.results[0]?.locations[0]?.physicalLocation.artifactLocation.uri;
  assert.equal(uri, encodeURI(`${here}/a b/p.yaml`), "relative, so that it means the same in a checkout elsewhere");
});

test("workflow commands escape what would end or split them", async (t) => {
  const name = "a,b:c%.yaml";
  const folder = await folderOf(t, { [name]: broken });
  const { out } = await cli(["check", folder, "--format", "github"]);
  assert.ok(out.startsWith(`::error file=${folder}/a%2Cb%3Ac%25.yaml,line=4,`), out);
  assert.match(out, /`hots`%0Adid you mean `hosts`\?\n$/, "message and help");
});

test("colour only on a terminal that wants it", async (t) => {
  const folder = await folderOf(t, { "a/p.yaml": broken });
  const coloured = async (args: readonly string[], terminal: readonly [boolean, boolean], environment = {}) => {
    const { out, err } = await cli(args, { terminal: { output: terminal[0], errors: terminal[1] }, environment });
    return (out + err).includes("\u001b[");
  };
  assert.equal(await coloured(["check", folder], [true, false]), true);
  assert.equal(await coloured(["check", folder], [false, true]), false);
  assert.equal(await coloured(["check", folder], [true, true], { NO_COLOR: "1" }), false);
  assert.equal(await coloured(["check", folder], [true, true], { NO_COLOR: "" }), true, "empty is not set");
  assert.equal(await coloured(["check", folder], [true, true], { TERM: "dumb" }), false);
  // These write diagnostics to the other stream.
  for (const args of [
    ["compile", folder, "-o", "x"],
    ["eval", folder],
    ["explain", folder],
    ["test", folder],
  ]) {
    assert.equal(await coloured(args, [true, false]), false, args[0]);
    assert.equal(await coloured(args, [false, true]), true, args[0]);
  }
  for (const format of diagnosticFormats.filter((each) => each !== "text")) {
    assert.equal(await coloured(["check", folder, "--format", format], [true, true]), false, format);
  }
});

test("a folder that leads out of itself is not valid; one that cannot be read is a failure", async (t) => {
  const folder = await folderOf(t, { "p.yaml": readers });
  await symlink("/etc/hostname", `${folder}/q.yaml`);
  const escaped = await cli(["check", folder]);
  assert.equal(escaped.status, 3);
  assert.match(escaped.err, /^garita: the link `q\.yaml` leads out of the policy folder \[source\/escape\]\n$/);

  const locked = await folderOf(t, { "p.yaml": readers });
  assert.equal((await cli(["check", locked])).status, 0);
  await chmod(locked, 0o755);
  await chmod(`${locked}/p.yaml`, 0);
  // Nothing is unreadable to root.
  const root = process.geteuid?.() === 0;
  if (root) process.seteuid?.(65534);
  try {
    const { status, err } = await cli(["check", locked]);
    assert.equal(status, 1);
    assert.match(err, /^garita: `p\.yaml` cannot be read: EACCES: permission denied.* \[source\/unreadable\]\n$/);
  } finally {
    if (root) process.seteuid?.(0);
  }
});

test("what is not enforced as Istio would is told; tokens are verified, and nothing is told of them", async (t) => {
  const folder = await folderOf(t, {
    "a.yaml": `apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: { name: tokens, namespace: shop }
spec: { jwtRules: [{ issuer: "https://issuer.example" }] }
---
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: { name: plain, namespace: shop }
spec: { mtls: { mode: DISABLE } }
---
${policy("asks", "action: CUSTOM, provider: { name: p }, rules: [{}]")}`,
    "mesh.yaml": "extensionProviders: [{ name: p, envoyExtAuthzGrpc: { service: p.example, port: 9000 } }]\n",
  });
  const { status, out } = await cli(["check", folder]);
  assert.equal(status, 0);
  assert.deepEqual(
    [...out.matchAll(/warning\[(\S+)\]/g)].map(([, code]) => code),
    ["lint/mtls-disabled", "lint/provider-unresolved"],
  );
});

const conditions = `apiVersion: garita.dev/v1alpha1
kind: AuthorizationPolicy
metadata: { name: conditions, namespace: shop }
spec:
  action: DENY
  rules:
    - to: [{ operation: { ports: ["80"] } }]
      cel:
        - connection.tls
        - |
          request.path.startsWith("/a") &&
            request.headers["x-a"].contains(request.host)
      denyResponse:
        headers: { x-path: { cel: "'at ' + request.path" } }
        body: "no"
`;

interface Cost {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly expression: string;
  readonly cost: number;
  readonly bound: number;
}

test("what expressions cost stands behind the summary: the costliest, or each with --costs", async (t) => {
  const folder = await folderOf(t, { "a/p.yaml": conditions, "b.yaml": readers });
  const json = JSON.parse((await cli(["check", folder, "--format", "json"])).out);
  const { expressions } = json as { expressions: readonly Cost[] };
  const file = `${folder}/a/p.yaml`;
  const long = 'request.path.startsWith("/a") &&\n  request.headers["x-a"].contains(request.host)';
  assert.deepEqual(
    expressions.map(({ file, line, column, expression }) => [file, line, column, expression]),
    [
      [file, 9, 11, "connection.tls"],
      [file, 11, 11, long],
      [file, 14, 36, "'at ' + request.path"],
    ],
  );
  const [tls, both, value] = expressions.map(({ cost }) => cost) as [number, number, number];
  assert.ok(0 < tls && tls < value && value < both);
  const [bound, ...others] = new Set(expressions.map(({ bound }) => bound));
  assert.ok(bound !== undefined && both < bound && others.length === 0);
  const plain = (await cli(["check", folder])).out;
  assert.ok(plain.endsWith(`\nexpressions: 3, costliest ${both} of ${bound} at ${file}:11:11\n`), plain);
  const line = (cost: number, place: string, text: string) =>
    `  ${String(cost).padStart(String(both).length)}  ${file}:${place}  ${text}\n`;
  assert.equal(
    (await cli(["check", folder, "--costs"])).out,
    plain +
      line(both, "11:11", 'request.path.startsWith("/a") && request.headers["x-a"].con…') +
      line(value, "14:36", "'at ' + request.path") +
      line(tls, "9:11", "connection.tls"),
  );
});

test("without expressions nothing is said of costs", async (t) => {
  const folder = await folderOf(t, { "b.yaml": readers });
  const { out } = await cli(["check", folder, "--costs"]);
  assert.match(out, /digest \w+\n$/);
  assert.deepEqual(JSON.parse((await cli(["check", folder, "--format", "json"])).out).expressions, []);
});

test("an expression above the bound is refused where it stands", async (t) => {
  const dear = conditions.replace("connection.tls", "tokens.all(a, tokens.exists(b, a == b))");
  const folder = await folderOf(t, { "p.yaml": dear });
  const { status, out } = await cli(["check", folder]);
  assert.equal(status, 3);
  assert.match(
    out,
    /p\.yaml:9:11: error\[condition\/too-complex\]: the expression may take \d+ steps; at most 300000 are/,
  );
  assert.doesNotMatch(out, /expressions:/);
});
