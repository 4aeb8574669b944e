import { compile } from "#policy-compiler/compile";
import { type CodeRow, type DiagnosticCode, diagnosticCodes } from "#policy-compiler/source/codes";
import type { Diagnostic } from "#policy-compiler/source/diagnostic";
import { extensionCases } from "#test/unit/policy-compiler/validate/extension-cases";
import { registrationCases } from "#test/unit/policy-compiler/validate/registration-cases";
import { besides, type RuleCase, ruleCases } from "#test/unit/policy-compiler/validate/rule-cases";

/** What the areas of codes are about, in the order of the page. */
const areas: Readonly<Record<string, string>> = {
  yaml: "The text of a file",
  folder: "The folder",
  document: "Documents: what they are, and the shape of their fields",
  mesh: "`mesh.yaml`",
  metadata: "Annotations",
  placement: "Where a policy applies",
  policy: "AuthorizationPolicy",
  condition: "Conditions in CEL",
  response: "Answers",
  registration: "WorkloadRegistration",
  jwt: "RequestAuthentication",
  peer: "PeerAuthentication",
  lint: "What Istio takes without a word, and an author seldom means",
  crd: "What the Kubernetes API would refuse",
  lowering: "What compiling found",
};

const intro = `# Diagnostics

What \`garita check\`, the status page and \`/v1/rulesets\` say of policies, by code. An **error** keeps the whole folder out of force; a **warning** and a
**note** do not (\`check --fail-on warning\` makes warnings fail). *Istio* says the same where that is noted; the other rules are ours, and
[divergences.md](divergences.md) says why where they change what is accepted. Codes are stable. This page is generated
from \`policy-compiler/source/codes.ts\`.
`;

/** \`docs/diagnostics.md\`: every code with its meaning, and with an example where the tests of the rules have a short one. */
export function renderDiagnosticsPage(): string {
  const codes = Object.entries(diagnosticCodes) as [DiagnosticCode, CodeRow][];
  const sections = Object.entries(areas).map(([area, title]) => {
    const own = codes.filter(([code]) => code.startsWith(`${area}/`));
    const shown = own.map(([code]) => exampleOf(code));
    const body = shown.some((example) => example !== undefined)
      ? own.map(([code, row], i) => renderCode(code, row, shown[i]))
      : [renderTable(own)];
    return [`## ${title}`, ...body].join("\n\n");
  });
  const lost = codes.filter(([code]) => areas[code.slice(0, code.indexOf("/"))] === undefined);
  if (lost.length > 0) throw new Error(`no section for ${lost.map(([code]) => code).join(", ")}`);
  return `${[intro.trimEnd(), ...sections].join("\n\n")}\n`;
}

function renderTable(rows: readonly (readonly [DiagnosticCode, CodeRow])[]): string {
  const lines = rows.map(
    ([code, row]) => `| \`${code}\` | ${row.severity}${row.origin === "istio" ? ", Istio" : ""} | ${row.summary} |`,
  );
  return ["| Code | Severity | Meaning |", "|---|---|---|", ...lines].join("\n");
}

interface Example {
  readonly text: string;
  readonly diagnostic: Diagnostic;
}

function renderCode(
  code: DiagnosticCode,
  { severity, origin, summary }: CodeRow,
  example: Example | undefined,
): string {
  const whose = origin === "istio" ? "; Istio says the same" : "";
  const lines = [`### \`${code}\``, "", `**${severity}**${whose}. ${summary}`];
  if (example === undefined) return lines.join("\n");
  const { text, diagnostic } = example;
  lines.push("", "```yaml", text, "```", "", `> ${diagnostic.message}`);
  if (diagnostic.help !== undefined) lines.push(">", `> help: ${diagnostic.help}`);
  return lines.join("\n");
}

/** Longer examples say less than the sentence above them. */
const longest = 240;

function exampleOf(code: DiagnosticCode): Example | undefined {
  for (const row of [...ruleCases, ...extensionCases, ...registrationCases]) {
    if (row.code !== code || row.bad.length > longest) continue;
    const text = textOf(row);
    const files = [{ path: "p.yaml", bytes: new TextEncoder().encode(text) }];
    for (const { path, text: other } of besides(row)) files.push({ path, bytes: new TextEncoder().encode(other) });
    const diagnostic = compile(files).diagnostics.find((each) => each.code === code);
    if (diagnostic === undefined) throw new Error(`the example for ${code} does not have it`);
    const shown = text.split("\n").filter((line) => !/^(apiVersion: security|metadata: \{name: p\})/.test(line));
    return { text: shown.join("\n").trimEnd(), diagnostic };
  }
  return undefined;
}

function textOf({ own, kind, annotations, registry, bad }: RuleCase): string {
  const namespace = registry === undefined ? "" : ", namespace: foo";
  const more = `${namespace}${annotations === undefined ? "" : `, annotations: {${annotations}}`}`;
  return `apiVersion: ${own ? "garita.dev/v1alpha1" : "security.istio.io/v1"}
kind: ${kind ?? "AuthorizationPolicy"}
metadata: {name: p${more}}
spec: {${bad}}
`;
}
