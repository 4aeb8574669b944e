import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { type Issuer, startIssuerServer } from "./issuer.ts";

type SigningAlgorithm = "RS256" | "PS256" | "ES256" | "ES384" | "ES512" | "EdDSA";

export interface IssuerOptions {
  /** One key for each; tokens are signed with the first. */
  readonly keys?: readonly SigningAlgorithm[];
  /** Behind the authority: `/realms/shop`. Discovery and keys stand below it. */
  readonly path?: string;
  /** Sent with the key set. */
  readonly cacheControl?: string;
}

/** An issuer as others see it: a discovery document, a key set, and tokens that its keys signed. Whoever starts it stops it. */
export async function startIssuer({
  keys: algorithms = ["RS256"],
  path = "",
  cacheControl,
}: IssuerOptions = {}): Promise<Issuer> {
  const server = await startIssuerServer();
  const issuer = `${server.issuer}${path}`;
  const jwksUri = `${issuer}/keys`;
  let keys = await newKeys(algorithms, 1);
  let generation = 1;
  server.answerWith((request, response) => {
    const documents: Readonly<Record<string, () => unknown>> = {
      [`${path}/.well-known/openid-configuration`]: () => ({ issuer, jwks_uri: jwksUri }),
      [`${path}/keys`]: () => ({ keys: keys.map(({ published }) => published) }),
    };
    const document = documents[request.url ?? ""];
    if (document === undefined) return response.writeHead(404).end();
    const headers = { "content-type": "application/json", ...(cacheControl && { "cache-control": cacheControl }) };
    return response.writeHead(200, headers).end(JSON.stringify(document()));
  });
  return {
    issuer,
    jwksUri,
    port: server.port,
    caFile: server.caFile,
    async token(claims = {}) {
      const { algorithm, kid, privateKey } = keys[0]!;
      const nowSeconds = Math.floor(Date.now() / 1000);
      const usual = { iss: issuer, sub: "somebody", aud: "shop", iat: nowSeconds, exp: nowSeconds + 300 };
      const payload = Object.fromEntries(Object.entries({ ...usual, ...claims }).filter(([, v]) => v !== undefined));
      return new SignJWT(payload).setProtectedHeader({ alg: algorithm, kid, typ: "at+jwt" }).sign(privateKey);
    },
    async rotate() {
      generation++;
      keys = await newKeys(algorithms, generation);
    },
    become: server.become,
    stop: server.stop,
  };
}

async function newKeys(algorithms: readonly SigningAlgorithm[], generation: number) {
  return Promise.all(
    algorithms.map(async (algorithm, i) => {
      const { publicKey, privateKey } = await generateKeyPair(algorithm, { extractable: true });
      const kid = `key-${generation}-${i + 1}`;
      return {
        algorithm,
        kid,
        privateKey,
        published: { ...(await exportJWK(publicKey)), kid, use: "sig", alg: algorithm },
      };
    }),
  );
}
