import assert from "node:assert/strict";
import { after, test } from "node:test";
import { Closing } from "#test/support/envoy/closing";
import { garitaFolder, runGarita } from "#test/support/envoy/run-garita";
import { startCaseProvider } from "#test/support/providers/case-provider";

const closing = new Closing();
after(() => closing.close());

const policies = (port: number) => `
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: { name: opa, namespace: shop }
spec:
  hosts: [opa.example]
  resolution: STATIC
  ports: [{ number: ${port}, name: http, protocol: HTTP }]
  endpoints: [{ address: 127.0.0.1 }]
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: ask, namespace: shop }
spec: { action: CUSTOM, provider: { name: opa }, rules: [{}] }
`;

test("a running service: a provider that fails open is seen in the log, the metrics and the warnings, until it answers", async () => {
  const provider = closing.add(await startCaseProvider("http"));
  const folder = closing.add(
    await garitaFolder({
      "mesh.yaml": `extensionProviders: [{ name: opa, envoyExtAuthzHttp: { service: shop/opa.example, port: ${provider.port}, failOpen: true } }]`,
      "shop/opa.yaml": policies(provider.port),
    }),
  );
  const garita = closing.add(
    await runGarita(folder, {
      listeners: [
        {
          name: "http",
          protocol: "http",
          address: "127.0.0.1:0",
          workload: { namespace: "shop", labels: {} },
          destination: { address: "10.0.0.1", port: 80 },
        },
      ],
      adminPort: 0,
    }),
  );
  const { port } = garita.endpoint("http") as { readonly port: number };
  const asked = async () => (await fetch(`http://127.0.0.1:${port}/a?token=sesame`)).status;
  const failing = async () => {
    const { warnings, providers } = await garita.status();
    return [warnings.filter((line) => line.startsWith("provider opa: ")).length, providers?.[0]?.failing];
  };
  assert.deepEqual(await failing(), [0, false]);

  provider.answer({ reset: true });
  assert.equal(await asked(), 200);
  assert.equal(await asked(), 200);
  assert.deepEqual(await failing(), [1, true]);
  const page = await (await fetch(`http://127.0.0.1:${garita.adminPort}/metrics`)).text();
  assert.match(page, /^garita_provider_failures_total\{provider="opa",outcome="failed_open"\} 2$/m);
  await garita.printed(/"provider":"opa".*"msg":"a provider does not answer"/);
  await garita.printed(
    /"path":"\/a".*"provider":"opa","fault":"the connection failed: .*"msg":"allowed because a provider failed"/,
  );

  provider.answer({});
  assert.equal(await asked(), 200);
  assert.deepEqual(await failing(), [0, false]);
  await garita.printed(/"msg":"a provider answers again"/);
  assert.equal(garita.log().match(/a provider does not answer/g)?.length, 1);
  assert.ok(!garita.log().includes("sesame"));
});
