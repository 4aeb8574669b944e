/**
 * `npm run test:package`: packs the package, installs it into an empty folder as a user would, and uses it there: the command line, the
 * service from compiled JavaScript with its certificate authority, the types, and that no link of its pages leads nowhere. Needs `npm run build` first.
 */
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "garita-package-"));

function run(command: string, args: readonly string[]): string {
  return execFileSync(command, args, { cwd: folder, encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] });
}

try {
  const packed = run("npm", ["pack", root, "--silent", "--ignore-scripts", "--pack-destination", folder])
    .trim()
    .split("\n")
    .at(-1)!;
  writeFileSync(join(folder, "package.json"), JSON.stringify({ name: "consumer", private: true, type: "module" }));
  run("npm", ["install", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error", join(folder, packed)]);
  cpSync(join(root, "examples"), join(folder, "examples"), { recursive: true });

  const program = join(folder, "node_modules/garita/dist/bin/garita.js");
  const garita = (...args: string[]) => run(process.execPath, [program, ...args]);
  const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  assert.match(garita("version"), new RegExp(`\\b${version.replaceAll(".", "\\.")}\\b`));
  for (const example of readdirSync(join(folder, "examples"))) {
    garita("check", `examples/${example}/policies`);
    garita("test", `examples/${example}/policies`);
  }
  assert.match(garita("--help"), /serve/);
  await serve(program);
  types();
  links(join(folder, "node_modules/garita"));
  console.log(`${packed}: installed, checked, served, certified, typed, linked`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** Every relative link of the pages of the installed package names a file or folder of it. */
function links(installed: string): void {
  const pages = readdirSync(installed, { recursive: true, encoding: "utf8" }).filter(
    (name) => name.endsWith(".md") && !name.startsWith("node_modules"),
  );
  assert.ok(pages.includes("README.md") && pages.includes(join("docs", "git.md")), pages.join(" "));
  for (const page of pages) {
    const text = readFileSync(join(installed, page), "utf8");
    for (const [, target = ""] of text.matchAll(/\]\((?!https?:)([^)#\s]+)[^)]*\)/g))
      assert.ok(existsSync(join(installed, dirname(page), target)), `${page}: ${target} is not in the package`);
  }
}

/** Starts the service on a free port, asks it over HTTP, has a certificate issued, stops it. */
async function serve(program: string): Promise<void> {
  const config = join(folder, "garita.yaml");
  writeFileSync(
    config,
    [
      "listeners:",
      "  - name: try",
      "    protocol: http",
      "    address: 127.0.0.1:0",
      "    workload: { namespace: hello, workload: hello-v1 }",
      "    destination: { address: 10.0.0.11, port: 8080 }",
      "    explainToClient: true",
      "policies: { directory: examples/hello/policies }",
      "ca:",
      "  trustDomain: hello.mesh",
      "  store: ca.db",
      "  keyEncryptionKeyFile: key-encryption-key",
      "  serverNames: [localhost]",
      "  socket: ca.sock",
      "",
    ].join("\n"),
  );
  run(process.execPath, [program, "ca", "init", "--new-key-encryption-key", "--config", config]);
  const child = spawn(process.execPath, [program, "serve", "--config", config], {
    cwd: folder,
    stdio: ["ignore", "pipe", "pipe"],
  });
  try {
    let said = "";
    child.stderr.on("data", (chunk: Buffer) => {
      said += chunk.toString();
    });
    const address = await new Promise<string>((resolve, reject) => {
      child.stdout.on("data", (chunk: Buffer) => {
        said += chunk.toString();
        const found = /127\.0\.0\.1:(?!0\b)\d+/.exec(said);
        // The doors of the authority are the last to open.
        if (found !== null && said.includes('"ca-socket"')) resolve(found[0]);
      });
      child.on("exit", (code) => reject(new Error(`the service ended with ${code}:\n${said}`)));
    });
    const allowed = await fetch(`http://${address}/hello`);
    const denied = await fetch(`http://${address}/hello/admin`);
    assert.equal(allowed.status, 200, said);
    assert.equal(denied.status, 403, said);
    const id = "spiffe://hello.mesh/ns/web/sa/nginx";
    run(process.execPath, [program, "ca", "issue", "--config", config, "--id", id, "--out", "nginx"]);
    const chain = "nginx/cert-chain.pem";
    run("openssl", ["verify", "-x509_strict", "-CAfile", "nginx/root-cert.pem", "-untrusted", chain, chain]);
    assert.ok(denied.headers.get("x-garita-reason"), "a denial explains itself on the example's listener");
    const ended = new Promise<number | null>((resolve) => child.on("exit", resolve));
    child.kill("SIGTERM");
    assert.equal(await ended, 0, `the service drains and ends well:\n${said}`);
  } finally {
    // Where a check failed it still runs.
    child.kill("SIGKILL");
  }
}

/** A consumer in TypeScript compiles against what was published. */
function types(): void {
  writeFileSync(
    join(folder, "consumer.ts"),
    [
      'import { compile, createEngine, type Decision } from "garita";',
      'const compilation = compile([{ path: "mesh.yaml", bytes: new Uint8Array() }], {});',
      "export const decide = (): Decision | undefined => {",
      "  if (compilation.ruleSet === undefined) return undefined;",
      '  const engine = createEngine(compilation.ruleSet, "");',
      '  const view = engine.view({ namespace: "a", name: undefined, labels: new Map(), kind: "sidecar", gateway: undefined, service: undefined });',
      "  return engine.decide(view, {} as Parameters<typeof engine.decide>[1]);",
      "};",
      "",
    ].join("\n"),
  );
  const options = ["--noEmit", "--strict", "--target", "es2024", "--module", "nodenext", "--types", "", "consumer.ts"];
  run(join(root, "node_modules/.bin/tsc"), options);
}
