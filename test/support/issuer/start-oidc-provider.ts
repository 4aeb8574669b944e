import { once } from "node:events";
import { request } from "node:https";
import { exportJWK, generateKeyPair } from "jose";
import { Provider } from "oidc-provider";
import { type Issuer, startIssuerServer } from "./issuer.ts";

const audience = "https://shop.example/api";

/** Who may ask for tokens; `sub` of the tokens is the id. */
export interface Client {
  readonly id: string;
  readonly secret: string;
}

export interface OidcProviderOptions {
  /** A free one if not given. */
  readonly port?: number;
  /** `token` asks as the first. */
  readonly clients?: readonly [Client, ...Client[]];
}

const ofTheTests: Client = { id: "garita-tests", secret: "of-the-tests" };

/**
 * A certified OpenID provider, `oidc-provider`, over HTTPS on this machine: access tokens are JWTs of its own making, asked for with
 * `client_credentials` and a resource (RFC 8707), with the audience `https://shop.example/api` unless `claims` say otherwise. Whoever starts it stops it.
 */
export async function startOidcProvider({
  port = 0,
  clients = [ofTheTests],
}: OidcProviderOptions = {}): Promise<Issuer> {
  const server = await startIssuerServer(port);
  let wanted: Readonly<Record<string, unknown>> = {};
  let generation = 0;
  const rotate = async (): Promise<void> => {
    generation++;
    const { privateKey } = await generateKeyPair("RS256", { extractable: true });
    const key = { ...(await exportJWK(privateKey)), kid: `provider-${generation}`, use: "sig", alg: "RS256" };
    const provider = new Provider(
      server.issuer,
      configuration(key, clients, () => wanted),
    );
    server.answerWith(provider.callback());
  };
  await rotate();
  return {
    issuer: server.issuer,
    jwksUri: `${server.issuer}/jwks`,
    port: server.port,
    caFile: server.caFile,
    async token(claims = {}) {
      wanted = claims;
      return askForToken(server.port, server.ca, clients[0]);
    },
    rotate,
    become: server.become,
    stop: server.stop,
  };
}

function configuration(
  key: unknown,
  clients: readonly Client[],
  claims: () => Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  return {
    jwks: { keys: [key] },
    cookies: { keys: ["of-the-tests"] },
    clients: clients.map(({ id, secret }) => ({
      client_id: id,
      client_secret: secret,
      grant_types: ["client_credentials"],
      redirect_uris: [],
      response_types: [],
    })),
    ttl: { ClientCredentials: 600 },
    features: {
      clientCredentials: { enabled: true },
      devInteractions: { enabled: false },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => audience,
        getResourceServerInfo: () => ({ scope: "read write", audience, accessTokenFormat: "jwt" }),
      },
    },
    formats: {
      customizers: {
        jwt(_context: unknown, _token: unknown, { payload }: { readonly payload: Record<string, unknown> }) {
          Object.assign(payload, claims());
        },
      },
    },
  };
}

async function askForToken(port: number, ca: Buffer, client: Client): Promise<string> {
  const form = new URLSearchParams({ grant_type: "client_credentials", resource: audience, scope: "read" });
  const asked = request({
    host: "127.0.0.1",
    servername: "localhost",
    port,
    path: "/token",
    method: "POST",
    ca,
    headers: {
      host: `localhost:${port}`,
      "content-type": "application/x-www-form-urlencoded",
      authorization: `Basic ${Buffer.from(`${client.id}:${client.secret}`).toString("base64")}`,
    },
  });
  asked.end(form.toString());
  const [response] = await once(asked, "response");
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  const answer = JSON.parse(Buffer.concat(chunks).toString()) as { readonly access_token?: string };
  if (answer.access_token === undefined) throw new Error(`the provider gave no token: ${JSON.stringify(answer)}`);
  return answer.access_token;
}
