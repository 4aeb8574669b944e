import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join, relative } from "node:path";
import { type TestContext, test } from "node:test";
import { directorySource } from "#authz/rulesets/directory-source";
import { prepareEngine } from "#authz/rulesets/prepare-at-once";
import type { RequestDescription } from "#cli/request/description";
import { explainRequest } from "#cli/request/explain-request";
import { cli, folderOf, readers } from "#test/support/cli/run-cli";
import { lastingPort } from "#test/support/lasting-port";
import { runService } from "#test/support/service/run-service";

/** A running service whose admin API is open on loopback and on a socket; `admin` replaces its configuration. */
async function serving(t: TestContext, policies: string, admin = '{ address: "127.0.0.1:0", socket: admin.sock }') {
  const folder = await folderOf(t, {
    "policies/p.yaml": policies,
    token: "sesame\n",
    "garita.yaml": `listeners: [{ name: grpc, protocol: grpc, address: "127.0.0.1:0" }]
policies: { directory: policies }
admin: ${admin}
`,
  });
  const { service } = await runService(t, join(folder, "garita.yaml"), {
    createSource: ({ directory }) => directorySource(directory),
    prepare: prepareEngine,
    explain: (description, checks) => explainRequest(description as RequestDescription, checks),
  });
  const tcp = service.adminAddresses().find((address) => !address.startsWith("unix:")) ?? "";
  return { folder, tcp: `http://${tcp}`, unix: `unix:${folder}/admin.sock` };
}

/** The socket as seen from where the test runs. */
const relativeTo = (folder: string) => `unix:${relative(process.cwd(), folder)}/admin.sock`;

const posting = ["-n", "shop", "--no-labels", "-X", "POST"];

test("a running service explains over TCP and over its socket what the folder explains by itself", async (t) => {
  const { folder, tcp, unix } = await serving(t, readers);
  for (const flags of [posting, ["-n", "shop", "--no-labels"], ["-n", "shop", "--no-labels", "--tcp"], []]) {
    const here = await cli(["explain", `${folder}/policies`, ...flags, "--format", "json", "--exit-code"]);
    // The service names files as in its policy folder.
    const wanted = JSON.parse(here.out.replaceAll(`${folder}/policies/`, ""));
    for (const admin of [tcp, `${tcp}/`, unix, unix.replace("unix:", "unix://"), relativeTo(folder)]) {
      const there = await cli(["explain", "--admin", admin, ...flags, "--format", "json", "--exit-code"]);
      assert.deepEqual([there.status, there.err], [here.status, ""], admin);
      assert.deepEqual(JSON.parse(there.out), wanted, admin);
    }
  }
  const { out } = await cli(["explain", "--admin", unix, ...posting]);
  assert.match(
    out,
    /^deny {2}403 {2}policy\/not-allowed\n[\s\S]*rules that came nearest:\n {2}ns\[shop\].* \(p\.yaml:4\)/,
  );
  const described = await cli(["explain", "--admin", tcp, "-f", "-"], {
    input: "workload: { namespace: shop, labels: {} }",
  });
  assert.match(described.out, /^allow {2}200/);
});

test("what the service refuses is wrong usage, with its words; without rules too", async (t) => {
  const { unix } = await serving(t, "a: [");
  const { status, out, err } = await cli(["explain", "--admin", unix]);
  assert.deepEqual([status, out, err], [2, "", "garita: the service answered 503: no rule set is in force yet\n"]);
});

test("a token is shown where one is asked for", async (t) => {
  const { folder, tcp } = await serving(t, readers, '{ address: "127.0.0.1:0", tokenFile: token }');
  const shown = await cli(["explain", "--admin", tcp, "--token-file", `${folder}/token`]);
  assert.deepEqual([shown.status, shown.err], [0, ""]);
  const missing = await cli(["explain", "--admin", tcp, "--token-file", `${folder}/gone`]);
  assert.equal(missing.status, 1);
  assert.match(missing.err, /\[secret\/unreadable\]\n$/);
});

test("nobody there, or somebody else: status 1, and who was asked", async (t) => {
  const port = await lastingPort();
  for (const [admin, why] of [
    [`http://127.0.0.1:${port}`, /ECONNREFUSED/],
    ["unix:/nowhere/admin.sock", /ENOENT/],
  ] as const) {
    const { status, out, err } = await cli(["explain", "--admin", admin]);
    assert.deepEqual([status, out], [1, ""]);
    assert.ok(err.startsWith(`garita: \`${admin}\` cannot be asked: `) && err.endsWith("[service/unreachable]\n"), err);
    assert.match(err, why);
  }
  const answers = ["hello", "{}", "null", '{"error":7}', '{"outcome":"allow"}'];
  const other = createServer((_, response) => response.end(answers.shift())).listen(0, "127.0.0.1");
  t.after(() => other.close());
  await once(other, "listening");
  const admin = `http://127.0.0.1:${(other.address() as AddressInfo).port}`;
  while (answers.length > 0) {
    const { status, err } = await cli(["explain", "--admin", admin]);
    assert.deepEqual(
      [status, err],
      [1, `garita: \`${admin}\` answered 200, not as an admin API does [service/answer]\n`],
    );
  }
});
