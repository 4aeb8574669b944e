import { hash, randomBytes } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import type { TestContext } from "node:test";
import type { TrustBundle } from "#ca/authorities/contract";
import { renderBundleJwks } from "#ca/bundle/render-jwks";
import { renderJoinToken } from "#ca/callers/join-token-text";
import { parseCsr } from "#ca/csr/parse-csr";
import type { CertificateAnswer, CertificateRequest } from "#ca/issuance/contract";
import type { AuthorityService } from "#ca/service/contract";
import { serveHttp } from "#ca/transport/http/serve";
import { writePem } from "#ca/x509/pem";
import { defaultDoorLimits } from "#platform/door/door";
import { createLog } from "#platform/log";
import { tempFolder } from "#test/support/service/temp-folder";
import { type FakeAuthority, fakeAuthority } from "./fake-authority.ts";
import { keyPair, makeAuthority, makeLeaf, type TestAuthority } from "./make-certificate.ts";

/** The JSON door of an authority with real certificates, at a Unix socket and over TLS; behind it a fake that signs every request. */
export interface RunningAuthority extends FakeAuthority {
  readonly folder: string;
  /** `unix:PATH`, for `--admin`. */
  readonly admin: string;
  /** `https://localhost:PORT`, for `--url`. */
  readonly url: string;
  readonly root: TestAuthority;
  readonly issuing: TestAuthority;
  /** PEM file of the root. */
  readonly bundleFile: string;
  /** A join token that names the root. */
  readonly token: string;
  /** Files of a client's certificate with this SPIFFE ID. */
  client(uri: string): Promise<{ readonly cert: string; readonly key: string }>;
}

const pem = (der: Uint8Array) => writePem("CERTIFICATE", der);

/** Starts both doors; they end with the test. `answer`: what a request for a certificate gets; else it is signed. */
export async function runAuthority(
  t: TestContext,
  options: {
    readonly answer?: (request: CertificateRequest) => CertificateAnswer;
    readonly service?: Partial<AuthorityService>;
  } = {},
): Promise<RunningAuthority> {
  const folder = await tempFolder(t);
  const root = makeAuthority({ kind: "P-256", profile: "root" });
  const issuing = makeAuthority({ kind: "P-256", profile: "issuing", issuer: root });
  const bundle: TrustBundle = { trustDomain: "cluster.local", sequence: 7, anchors: [root.certificate] };
  const authority = fakeAuthority(options.answer ?? ((request) => signedAnswer(request, root, issuing)), {
    bundle: () => bundle,
    async roleOf({ operatorSocket, clientCertificates }) {
      const role = operatorSocket ? "operator" : clientCertificates.length > 0 ? "auditor" : undefined;
      return { role, who: role ?? "nobody", reason: "a test says so" };
    },
    ...options.service,
  });
  const parts = {
    service: authority.service,
    version: "0.0.0-test",
    nowMillis: () => Date.now(),
    renderPem: ({ anchors }: TrustBundle) => anchors.map(({ der }) => pem(der)).join(""),
    renderJwks: (each: TrustBundle) => renderBundleJwks(each, 300),
    hosts: undefined,
  };
  const { log } = createLog({ level: "silent", stream: new PassThrough() });
  const start = { limits: defaultDoorLimits, log };
  const path = join(folder, "ca.sock");
  const socket = await serveHttp(parts, { ...start, name: "socket", address: { kind: "unix", path }, tls: undefined });
  t.after(() => socket.stop(AbortSignal.abort()));
  const { privateKey, spkiDer } = keyPair("P-256", "server");
  const server = makeLeaf(issuing, {
    subjectPublicKeyDer: spkiDer,
    uri: "spiffe://cluster.local/authority",
    dnsNames: ["localhost"],
    ipAddresses: [Uint8Array.of(127, 0, 0, 1)],
  });
  const tls = {
    cert: pem(server.der) + pem(issuing.certificate.der),
    key: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
  };
  const tcp = { kind: "tcp", host: "127.0.0.1", port: 0 } as const;
  const https = await serveHttp(parts, { ...start, name: "http", address: tcp, tls });
  t.after(() => https.stop(AbortSignal.abort()));
  const bundleFile = join(folder, "roots.pem");
  await writeFile(bundleFile, pem(root.certificate.der));
  return {
    ...authority,
    folder,
    admin: `unix:${path}`,
    url: `https://localhost:${https.address.kind === "tcp" ? https.address.port : 0}`,
    root,
    issuing,
    bundleFile,
    token: renderJoinToken(randomBytes(32), hash("sha256", root.certificate.der, "hex")),
    async client(uri) {
      const own = keyPair("P-256", "client");
      const leaf = makeLeaf(issuing, { subjectPublicKeyDer: own.spkiDer, uri });
      const files = { cert: join(folder, "client.pem"), key: join(folder, "client.key") };
      await writeFile(files.cert, pem(leaf.der) + pem(issuing.certificate.der));
      await writeFile(files.key, own.privateKey.export({ type: "pkcs8", format: "pem" }));
      return files;
    },
  };
}

function signedAnswer(request: CertificateRequest, root: TestAuthority, issuing: TestAuthority): CertificateAnswer {
  const parsed = parseCsr(request.csrPem);
  if (!parsed.ok)
    return { ok: false, code: parsed.fault.code, explanationId: "ABCDEF123456", retryAfterMillis: undefined };
  const uri = request.spiffeId ?? "spiffe://cluster.local/ns/shop/sa/web";
  const leaf = makeLeaf(issuing, { subjectPublicKeyDer: parsed.csr.publicKey.spkiDer, uri });
  return {
    ok: true,
    serialHex: Buffer.from(leaf.serial).toString("hex"),
    spiffeId: uri,
    notBeforeMillis: leaf.notBefore.millis,
    notAfterMillis: leaf.notAfter.millis,
    chain: [pem(leaf.der), pem(issuing.certificate.der), pem(root.certificate.der)],
  };
}
