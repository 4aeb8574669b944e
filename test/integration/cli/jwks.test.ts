import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { type TestContext, test } from "node:test";
import { cli, folderOf } from "#test/support/cli/run-cli";
import { answering, startHostileIssuer } from "#test/support/issuer/hostile-issuer";
import type { Issuer } from "#test/support/issuer/issuer";
import { startIssuer } from "#test/support/issuer/start-issuer";
import { startOidcProvider } from "#test/support/issuer/start-oidc-provider";
import { tempFolder } from "#test/support/service/temp-folder";

async function running(t: TestContext, options: Parameters<typeof startIssuer>[0] = {}): Promise<Issuer> {
  const issuer = await startIssuer(options);
  t.after(() => issuer.stop());
  return issuer;
}

const authentication = (name: string, rules: string, selector = "{ matchLabels: { app: web } }") => `
apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: { name: ${name}, namespace: shop }
spec:
  selector: ${selector}
  jwtRules: ${rules}
`;

const web = ["-n", "shop", "-l", "app=web"];

test("fetch: an issuer, a URI and a discovery document lead to the same keys", async (t) => {
  const issuer = await running(t, { keys: ["RS256", "ES256"], path: "/realms/shop", cacheControl: "max-age=60" });
  const wellKnown = `${issuer.issuer}/.well-known/openid-configuration`;
  const keys = "  usable   RSA  RS256  kid key-1-1\n  usable   EC  P-256  ES256  kid key-1-2\n2 usable, 0 skipped\n";
  const place = `keys       ${issuer.jwksUri}  (max-age 60 s)\n`;
  for (const [address, more, out] of [
    [issuer.issuer, [], `discovery  ${wellKnown}\n${place}${keys}`],
    [`${issuer.issuer}/`, ["--as", "issuer"], `discovery  ${wellKnown}\n${place}${keys}`],
    [wellKnown, [], `discovery  ${wellKnown}\n${place}${keys}`],
    [issuer.jwksUri, [], `${place}${keys}`],
    [issuer.jwksUri, ["--as", "uri"], `${place}${keys}`],
  ] as const) {
    const ran = await cli(["jwks", "fetch", address, "--ca-file", issuer.caFile, ...more]);
    const note = address.endsWith("/")
      ? `note: the document's \`issuer\` is \`${issuer.issuer}\`: tokens carry that, and policies have to name it\n`
      : "";
    const wanted = out.replace("2 usable", `${note}2 usable`);
    assert.deepEqual(ran, { status: 0, out: wanted, err: "" }, address);
  }
});

test("fetch: every key is told, with why Envoy skips it, and never its numbers", async (t) => {
  const shape = readFileSync(new URL("../../support/issuer/shapes/keycloak-keys.json", import.meta.url), "utf8");
  const { keys } = JSON.parse(shape) as { keys: { kid: string; n: string }[] };
  const secret = "c2VjcmV0LXNlY3JldC1zZWNyZXQ";
  const odd = [
    { kty: "OKP", crv: "X25519", kid: "x", x: "AAAA" },
    { kty: "RSA", kid: "e", n: keys[0]!.n, e: "AQ" },
    { kty: "oct", kid: "shared", k: secret },
    7,
  ];
  const issuer = await startHostileIssuer(t, answering(JSON.stringify({ keys: [...keys, ...odd] })));
  const { status, out } = await cli(["jwks", "fetch", issuer.uri]);
  assert.equal(status, 0);
  assert.equal(
    out,
    `keys       ${issuer.uri}
  usable   RSA  RSA-OAEP  kid ${keys[0]!.kid}  (meant for another use; Envoy takes it)
  usable   RSA  RS256  kid ${keys[1]!.kid}
  skipped  OKP  kid x: the unknown \`crv\` \`X25519\`
  skipped  RSA  kid e: the exponent \`1\`, where 3 and 65537 are taken
  usable   oct  kid shared
  skipped  : no JSON object
3 usable, 3 skipped
`,
  );
  const json = await cli(["jwks", "fetch", issuer.uri, "--format", "json"]);
  assert.deepEqual(JSON.parse(json.out).keys[2], {
    usable: false,
    kty: "OKP",
    kid: "x",
    reason: "the unknown `crv` `X25519`",
  });
  for (const text of [out, json.out]) assert.ok(!text.includes(secret) && !text.includes(keys[0]!.n));
});

test("fetch: what is of no use ends with 5 and says why", async (t) => {
  const issuer = await startHostileIssuer(t, answering("{}"));
  const fetch = (...more: string[]) => cli(["jwks", "fetch", issuer.uri, ...more]);
  assert.match((await fetch("--as", "uri")).out, /the key set: found .* \[keys\/unusable\]\n0 usable, 0 skipped\n$/);
  issuer.become(answering('{"keys":[]}'));
  assert.match((await fetch()).out, /^keys .*\nthe key set: found an empty set \[keys\/unusable\]\n/);
  issuer.become(answering("<html>"));
  assert.match((await fetch()).out, /^discovery .*\nthe discovery document: found no JSON \[keys\/discovery\]\n/);
  issuer.become(answering("", "", "404 Not Found"));
  const missing = await fetch();
  assert.match(missing.out, /^keys .*\nstatus 404 \[fetch\/status\]\n0 usable, 0 skipped\n$/);
  assert.equal(missing.status, 5);
  assert.match(
    (await fetch("--as", "issuer")).out,
    /^discovery .*openid-configuration\nstatus 404 \[fetch\/status\]\n/,
  );
  const { out, status } = await cli(["jwks", "fetch", "http://user:secret@169.254.169.254/latest"]);
  assert.match(out, /the address 169\.254\.169\.254 is refused: .* \[fetch\/address\]/);
  assert.ok(!out.includes("secret"));
  assert.equal(status, 5);
});

test("fetch: a document of another issuer, and keys without TLS, are noted", async (t) => {
  const plain = await startHostileIssuer(
    t,
    answering(readFileSync(new URL("../../support/issuer/shapes/google-keys.json", import.meta.url))),
  );
  const discovery = { issuer: "https://other.example", jwks_uri: plain.uri };
  const issuer = await startHostileIssuer(t, answering(JSON.stringify(discovery)));
  const { out } = await cli(["jwks", "fetch", issuer.uri, "--as", "issuer"]);
  assert.match(out, /note: the document's `issuer` is `https:\/\/other\.example`/);
  assert.match(out, /2 usable/);
});

test("fetch and show: `jwt` of a configuration counts", async (t) => {
  const issuer = await running(t);
  const config = (jwt: string) => `listeners: [{ name: a, protocol: http, address: '127.0.0.1:1' }]
policies: { directory: . }
jwt: ${jwt}
`;
  const folder = await folderOf(t, {
    "good.yaml": config(`{ caFile: ${issuer.caFile} }`),
    "blocked.yaml": config(`{ caFile: ${issuer.caFile}, blockedCidrs: [127.0.0.0/8, "::1/128"] }`),
    "broken.yaml": config("{ blockedCidrs: [x] }"),
  });
  const fetch = (file: string) => cli(["jwks", "fetch", issuer.jwksUri, "-c", `${folder}/${file}`]);
  assert.equal((await fetch("good.yaml")).status, 0);
  assert.match((await fetch("blocked.yaml")).out, /\[fetch\/address\]/);
  const broken = await fetch("broken.yaml");
  assert.equal(broken.status, 2);
  assert.match(broken.err, /\[config\/value\]/);
  const absent = await cli(["jwks", "fetch", issuer.jwksUri, "--ca-file", `${folder}/absent.pem`]);
  assert.equal(absent.status, 1);
  assert.match(absent.err, /\[tls\/unreadable\]/);
});

test("show: every source once, its state, and the rules that name it", async (t) => {
  const issuer = await running(t, { keys: ["ES256"] });
  const folder = await folderOf(t, {
    "a.yaml": authentication("a", `[{ issuer: "${issuer.issuer}" }, { issuer: x, jwksUri: "${issuer.jwksUri}" }]`),
    "b.yaml": authentication(
      "b",
      `[{ issuer: yy, jwksUri: "${issuer.jwksUri}" }, { issuer: z, jwksUri: "http://127.0.0.1:1/keys" }]`,
    ),
    "c.yaml": authentication("c", `[{ issuer: w, jwks: '{"keys":[{"kty":"oct","kid":"inline","k":"c2VjcmV0"}]}' }]`),
  });
  const { status, out, err } = await cli(["jwks", "show", folder, "--ca-file", issuer.caFile]);
  assert.equal(err, "");
  assert.equal(status, 5);
  assert.equal(
    out,
    `${issuer.issuer}  1 key
  EC  ES256  kid key-1-1
  for shop/a (${folder}/a.yaml:7)
${issuer.jwksUri}  1 key
  EC  ES256  kid key-1-1
  for shop/a (${folder}/a.yaml:7)
  for shop/b (${folder}/b.yaml:7)
http://127.0.0.1:1/keys  unfetched
  the key set: ECONNREFUSED [fetch/connect]
  for shop/b (${folder}/b.yaml:7)
shop/c (${folder}/c.yaml:7)  1 key
  oct  kid inline
  for shop/c (${folder}/c.yaml:7)
`,
  );
  const json = await cli(["jwks", "show", folder, "--ca-file", issuer.caFile, "--format", "json"]);
  assert.ok(!json.out.includes("c2VjcmV0"));
  const { sources } = JSON.parse(json.out);
  assert.deepEqual(
    sources.map(({ kind, state, rules }: { kind: string; state: string; rules: unknown[] }) => [
      kind,
      state,
      rules.length,
    ]),
    [
      ["discovery", "keys", 1],
      ["uri", "keys", 2],
      ["uri", "unfetched", 1],
      ["inline", "keys", 1],
    ],
  );
});

test("show: without rules, and with policies that are not valid", async (t) => {
  const none = await folderOf(t, { "a.yaml": authentication("a", "[]") });
  assert.deepEqual(await cli(["jwks", "show", none]), {
    status: 0,
    out: "no RequestAuthentication has a JWT rule\n",
    err: "",
  });
  const bad = await folderOf(t, { "a.yaml": authentication("a", "[{ issuer: 7x, jwksUri: 'ftp://x' }]") });
  assert.equal((await cli(["jwks", "show", bad])).status, 3);
});

/** A folder with one rule for the issuer, and the token in a file beside it. */
async function tokenTrial(t: TestContext, rules: string, token: string) {
  const folder = await folderOf(t, { "a.yaml": authentication("a", rules) });
  const file = `${await tempFolder(t)}/token`;
  await writeFile(file, `${token}\n`);
  return (...more: string[]) => cli(["jwks", "test", folder, "--token-file", file, ...web, ...more]);
}

test("test: a good token, and every way in which it may not be one", async (t) => {
  const issuer = await running(t);
  const other = await running(t);
  const nowSeconds = Math.floor(Date.now() / 1000);
  const rule = `[{ issuer: "${issuer.issuer}", audiences: [shop] }]`;
  const cases: readonly (readonly [name: string, token: string, line: string])[] = [
    ["good", await issuer.token(), "accepted"],
    ["expired", await issuer.token({ exp: nowSeconds - 100 }), "refused  401  Jwt is expired"],
    ["early", await issuer.token({ nbf: nowSeconds + 100 }), "refused  401  Jwt not yet valid"],
    ["for others", await issuer.token({ aud: "else" }), "refused  403  Audiences in Jwt are not allowed"],
    ["of others", await other.token(), "refused  401  Jwt issuer is not configured"],
    ["forged", await other.token({ iss: issuer.issuer }), "refused  401  Jwt verification fails"],
    [
      "no token",
      "abc",
      "refused  401  Jwt is not in the form of Header.Payload.Signature with two dots and 3 sections",
    ],
  ];
  for (const [name, token, line] of cases) {
    const run = await tokenTrial(t, rule, token);
    const ran = await run("--ca-file", issuer.caFile, "--exit-code");
    assert.deepEqual([ran.status, ran.err], [line === "accepted" ? 0 : 10, ""], name);
    const [first, second, third] = ran.out.split("\n");
    assert.equal(first, line, name);
    assert.ok(second?.endsWith(`, ${issuer.issuer}: ${line}`), second);
    assert.equal(third, `    keys: ${issuer.issuer}  1 key`);
    const json = await run("--ca-file", issuer.caFile, "--format", "json", "--show-claims");
    assert.equal(json.status, 0);
    for (const text of [ran.out, json.out]) assert.ok(!text.includes(token.split(".").at(-1)!), "the token is nowhere");
  }
});

test("test: claims are printed when they are asked for", async (t) => {
  const issuer = await startOidcProvider();
  t.after(() => issuer.stop());
  const run = await tokenTrial(
    t,
    `[{ issuer: "${issuer.issuer}" }]`,
    await issuer.token({ name: "Zoë", deep: { list: ["ü", 1] } }),
  );
  const plain = await run("--ca-file", issuer.caFile);
  assert.ok(
    plain.out.startsWith("accepted\n") && !plain.out.includes("Zoë") && !plain.out.includes(`"name"`),
    plain.out,
  );
  const { outcome, claims } = JSON.parse(
    (await run("--ca-file", issuer.caFile, "--show-claims", "--format", "json")).out,
  );
  assert.equal(outcome, "accepted");
  assert.deepEqual([claims.name, claims.deep, claims.iss], ["Zoë", { list: ["ü", 1] }, issuer.issuer]);
  assert.match((await run("--ca-file", issuer.caFile, "--show-claims")).out, /\n {2}"name": "Zoë",\n/);
});

test("test: where the token stands", async (t) => {
  const issuer = await running(t);
  const where = "fromHeaders: [{ name: x-token }], fromParams: [t], fromCookies: [c]";
  const run = await tokenTrial(t, `[{ issuer: "${issuer.issuer}", ${where} }]`, await issuer.token());
  for (const [place, accepted] of [
    ["header:x-token", true],
    ["param:t", true],
    ["cookie:c", true],
    ["header:authorization", false],
    ["param:other", false],
  ] as const) {
    const { out } = await run("--ca-file", issuer.caFile, "--place", place, "--path", "/a?b=c");
    const [first] = out.split("\n");
    assert.equal(first, accepted ? "accepted" : "no token: the rule does not look where it is", place);
  }
});

test("test: several rules, each told alone", async (t) => {
  const issuer = await running(t);
  const rules = `[{ issuer: "${issuer.issuer}", audiences: [admin] }, { issuer: "${issuer.issuer}", audiences: [shop] }, { issuer: "https://down.example", jwksUri: "http://127.0.0.1:1/" }]`;
  const run = await tokenTrial(t, rules, await issuer.token());
  const { outcome, rules: alone } = JSON.parse((await run("--ca-file", issuer.caFile, "--format", "json")).out);
  assert.equal(outcome, "accepted");
  assert.deepEqual(
    alone.map((each: { outcome: string; fault?: string; source: { state: string } }) => [
      each.outcome,
      each.fault,
      each.source.state,
    ]),
    [
      ["refused", "audience", "keys"],
      ["accepted", undefined, "keys"],
      ["refused", "issuerUnknown", "unfetched"],
    ],
  );
});

test("test: keys that are not there refuse as Istio does", async (t) => {
  const issuer = await running(t);
  const empty = await startHostileIssuer(t, answering("{}"));
  const token = await issuer.token();
  const unfetched = await tokenTrial(t, `[{ issuer: "${issuer.issuer}", jwksUri: "http://127.0.0.1:1/" }]`, token);
  assert.match(
    (await unfetched()).out,
    /^refused {2}401 {2}Jwt verification fails\n[\s\S]*unfetched\n.*\[fetch\/connect\]\n$/,
  );
  const unusable = await tokenTrial(t, `[{ issuer: "${issuer.issuer}", jwksUri: "${empty.uri}" }]`, token);
  assert.match((await unusable()).out, /^refused {2}401 {2}Jwks doesn't have any valid public key\n/);
});

test("test: wrong use", async (t) => {
  const issuer = await running(t);
  const run = await tokenTrial(t, `[{ issuer: "${issuer.issuer}" }]`, await issuer.token());
  const folder = await folderOf(t, { "a.yaml": authentication("a", "[]") });
  const stdin = (input: string, ...more: string[]) =>
    cli(["jwks", "test", folder, "--token-file", "-", ...web, ...more], { input });
  const cases = [
    [run("--place", "body:x"), /expected header:NAME, param:NAME or cookie:NAME, found `body:x`/],
    [run("--tcp"), /a connection has no token/],
    [run("--check-request", "x"), /cannot be used|conflict/],
    [stdin("a.b.c"), /no RequestAuthentication with a JWT rule selects the workload/],
    [stdin("  \n"), /`-` holds no token/],
    [stdin("a.b.c\nd.e.f"), /`-` holds more than one line/],
    [cli(["jwks", "test", folder, "--token-file", `${folder}/absent`, ...web]), /cannot be read/],
    [cli(["jwks", "test", folder, "--token-file", "-"], { input: "a.b.c" }), /workload\/unknown/],
    [cli(["jwks", "test", folder, ...web]), /--token-file/],
    [cli(["jwks", "nothing"]), /./],
  ] as const;
  for (const [ran, wanted] of cases) {
    const { status, err } = await ran;
    assert.equal(status, 2, err);
    assert.match(err, wanted);
    assert.ok(!err.includes("a.b.c"));
  }
});
