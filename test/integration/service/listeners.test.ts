import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { allowBytes } from "#test/support/service/fake-checks";
import { bytesClient, checkPath } from "#test/support/service/grpc-client";
import { runService } from "#test/support/service/run-service";
import { tempFolder } from "#test/support/service/temp-folder";

test("a configuration becomes a gRPC and an HTTP listener that answer", async (t) => {
  const folder = await tempFolder(t);
  const file = join(folder, "garita.yaml");
  await writeFile(
    file,
    `listeners:
  - { name: grpc, protocol: grpc, address: "127.0.0.1:0" }
  - { name: http, protocol: http, address: "127.0.0.1:0" }
policies: { directory: policies }
`,
  );
  const { service, lines } = await runService(t, file);
  const addresses = service.addresses();
  const client = bytesClient(addresses.get("grpc")!);
  t.after(() => client.close());
  assert.deepEqual(new Uint8Array(await client.call(checkPath, new Uint8Array())), allowBytes);

  const http = addresses.get("http")!;
  assert.ok(http.kind === "tcp");
  const response = await fetch(`http://127.0.0.1:${http.port}/a?b=c`, { headers: { "x-one": "1" } });
  assert.equal(response.status, 200);
  const seen = (await response.json()) as { method: string; target: string };
  assert.equal(seen.method, "GET");
  assert.equal(seen.target, "/a?b=c");

  const warning = /^listener http: protocol http cannot say which workload/m;
  assert.match(service.status().warnings.join("\n"), warning);
  await service.reload();
  const told = lines().filter(({ level, msg }) => level === "warn" && warning.test(String(msg)));
  assert.equal(told.length, 1, "told at the start, and not again while it holds");
});
