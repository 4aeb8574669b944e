import { Agent, createServer, request, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { JsonValue } from "@bufbuild/protobuf";
import { runEnvoy } from "#test/support/envoy/run-envoy";

/** What a real Envoy says of a token. */
export interface TokenVerdict {
  /** 200: the token is good. */
  readonly status: number;
  /** The reason, when it is not. */
  readonly body: string;
  /** The payload as Envoy read it, in JSON, of a good token. */
  readonly claims: string | undefined;
}

export interface TokenEnvoy {
  /** `token` is a byte string; it travels in a query parameter, where every byte can. */
  verify(keySet: number, token: string): Promise<TokenVerdict>;
  stop(): Promise<void>;
}

/** Body of the answer when Envoy takes no key out of a set: it fetches the sets, as istiod would have it do in its `envoy` mode. */
export const KEY_SET_REFUSED = "Jwks remote fetch is failed";

/**
 * A real Envoy whose `jwt_authn` filter has one provider for each of the key sets: a token must come and be signed by one of them. Any
 * issuer is taken.
 */
export async function startTokenEnvoy(binary: string, keySets: readonly (string | Uint8Array)[]): Promise<TokenEnvoy> {
  const documents = createServer((incoming, response) => {
    response.end(keySets[Number(incoming.url?.slice(1))] ?? "");
  });
  await new Promise<void>((listening) => documents.listen(0, "127.0.0.1", listening));
  const stopDocuments = () => new Promise<void>((closed) => closeServer(documents, closed));
  const envoy = await runEnvoy(binary, configuration(keySets.length, (documents.address() as AddressInfo).port)).catch(
    async (error) => {
      await stopDocuments();
      throw error;
    },
  );
  const agent = new Agent({ keepAlive: true, maxSockets: 4 });
  const port = envoy.port("tokens");
  return {
    verify: (keySet, token) => ask(agent, port, `/${keySet}?t=${percentEncode(token)}`),
    async stop() {
      agent.destroy();
      await envoy.stop();
      await stopDocuments();
    },
  };
}

function closeServer(server: Server, closed: () => void): void {
  server.close(closed);
  server.closeAllConnections();
}

function percentEncode(bytes: string): string {
  return bytes.replace(/[^A-Za-z0-9._-]/g, (one) => `%${one.charCodeAt(0).toString(16).padStart(2, "0")}`);
}

function ask(agent: Agent, port: number, path: string): Promise<TokenVerdict> {
  return new Promise((resolve, reject) => {
    const outgoing = request({ agent, host: "127.0.0.1", port, path, insecureHTTPParser: true }, (response) => {
      const chunks: Buffer[] = [];
      response.on("error", reject);
      response.on("data", (chunk) => chunks.push(chunk));
      response.on("end", () => {
        const claims = response.headers["x-claims"];
        resolve({
          status: response.statusCode ?? 0,
          body: Buffer.concat(chunks).toString("utf8"),
          claims: typeof claims === "string" ? Buffer.from(claims, "latin1").toString("utf8") : undefined,
        });
      });
    });
    outgoing.on("error", reject);
    outgoing.end();
  });
}

function configuration(sets: number, documentsPort: number): JsonValue {
  const names = Array.from({ length: sets }, (_, i) => String(i));
  const providers = names.map((name) => [
    name,
    {
      fromParams: ["t"],
      forward: true,
      payloadInMetadata: "payload",
      remoteJwks: {
        httpUri: { uri: `http://documents/${name}`, cluster: "documents", timeout: "10s" },
        cacheDuration: "3600s",
      },
    },
  ]);
  const manager = {
    "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
    statPrefix: "tokens",
    maxRequestHeadersKb: 8192,
    routeConfig: {
      virtualHosts: [
        {
          name: "all",
          domains: ["*"],
          routes: [{ match: { prefix: "/" }, directResponse: { status: 200 } }],
          responseHeadersToAdd: [
            { header: { key: "x-claims", value: "%DYNAMIC_METADATA(envoy.filters.http.jwt_authn:payload)%" } },
          ],
        },
      ],
    },
    httpFilters: [
      {
        name: "envoy.filters.http.jwt_authn",
        typedConfig: {
          "@type": "type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication",
          providers: Object.fromEntries(providers),
          rules: names.map((name) => ({
            match: { safeRegex: { regex: `/${name}` } },
            requires: { providerName: name },
          })),
        },
      },
      {
        name: "envoy.filters.http.router",
        typedConfig: { "@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router" },
      },
    ],
  };
  return {
    admin: { address: loopback(0) },
    staticResources: {
      listeners: [
        {
          name: "tokens",
          address: loopback(0),
          filterChains: [{ filters: [{ name: "http", typedConfig: manager }] }],
        },
      ],
      clusters: [
        {
          name: "documents",
          type: "STATIC",
          connectTimeout: "5s",
          loadAssignment: {
            clusterName: "documents",
            endpoints: [{ lbEndpoints: [{ endpoint: { address: loopback(documentsPort) } }] }],
          },
        },
      ],
    },
  };
}

function loopback(port: number) {
  return { socketAddress: { address: "127.0.0.1", portValue: port } };
}
