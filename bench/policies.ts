import type { SourceFile } from "#policy-compiler/compile";

/**
 * A policy folder of a mesh: `count` AuthorizationPolicies of one rule each, spread over services that differ in namespace, label, host, path
 * and caller, as real folders do. The same seedless sequence each time.
 */
export function meshFolder(count: number): readonly SourceFile[] {
  const perFile = 50;
  const files: SourceFile[] = [
    file("mesh.yaml", "trustDomain: bench.mesh\npathNormalization: { normalization: MERGE_SLASHES }\n"),
  ];
  for (let start = 0; start < count; start += perFile) {
    const documents = Array.from({ length: Math.min(perFile, count - start) }, (_, i) => policy(start + i));
    files.push(file(`policies/${start}.yaml`, documents.join("---\n")));
  }
  return files;
}

/** All rules at one gateway, told apart by host, path and caller: the shape in which a rule set cannot be split by workload. */
export function gatewayFolder(count: number): readonly SourceFile[] {
  const rules = Array.from({ length: count }, (_, i) => rule(i)).join("");
  const head =
    "apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: { name: edge-%, namespace: edge }\nspec:\n  rules:\n";
  const chunk = 500;
  const lines = rules.split("\n    - ").filter((part) => part !== "");
  const files: SourceFile[] = [file("mesh.yaml", "trustDomain: bench.mesh\n")];
  for (let start = 0; start < lines.length; start += chunk) {
    const body = lines.slice(start, start + chunk).map((line) => `    - ${line}\n`);
    files.push(file(`edge-${start}.yaml`, head.replace("%", String(start)) + body.join("")));
  }
  return files;
}

function policy(i: number): string {
  const action = i % 7 === 3 ? "DENY" : "ALLOW";
  return [
    "apiVersion: security.istio.io/v1",
    "kind: AuthorizationPolicy",
    "metadata:",
    `  name: service-${i}`,
    `  namespace: team-${i % 40}`,
    "spec:",
    "  selector:",
    `    matchLabels: { app: service-${i} }`,
    `  action: ${action}`,
    "  rules:",
    "    - from:",
    "        - source:",
    `            principals: [bench.mesh/ns/team-${(i * 7) % 40}/sa/caller-${i % 300}]`,
    "      to:",
    "        - operation:",
    `            hosts: [service-${i}.example.com, "service-${i}.example.com:*"]`,
    "            methods: [GET, POST]",
    `            paths: [/api/v1/items-${i}/*, /health]`,
    "      when:",
    "        - key: request.headers[x-tenant]",
    `          values: [tenant-${i % 100}]`,
    "",
  ].join("\n");
}

function rule(i: number): string {
  return (
    `\n    - {from: [{source: {principals: [bench.mesh/ns/team-${i % 40}/sa/caller-${i % 300}]}}], ` +
    `to: [{operation: {hosts: [service-${i}.example.com], methods: [GET, POST], paths: [/api/v1/items-${i}/*]}}]}`
  );
}

function file(path: string, text: string): SourceFile {
  return { path, bytes: new TextEncoder().encode(text) };
}

/** Rules on paths, each with a condition of its own: comparisons, and in every other one a pattern. */
export function conditionsFolder(rules: number): readonly SourceFile[] {
  const text = Array.from({ length: rules }, (_, i) => {
    const tenant = `request.headers["x-tenant"] == "tenant-${i}"`;
    const second = i % 2 === 0 ? `request.method == "M${i}"` : `request.path.matches("^/api/v${i}/[a-z0-9-]+(/|$)")`;
    return `  - { to: [{ operation: { paths: ["/api/v${i}/*"] } }], cel: ['${tenant} && ${second}'] }\n`;
  }).join("");
  const head = "apiVersion: garita.dev/v1alpha1\nkind: AuthorizationPolicy\n";
  return [file("conditions.yaml", `${head}metadata: { name: many, namespace: shop }\nspec:\n  rules:\n${text}`)];
}
