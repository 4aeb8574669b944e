/** What can be tried out: an example, and what to ask it. */
export interface Trial {
  /** Folder of the example, below `examples/`. */
  readonly example: string;
  /** Its configuration, in that folder. */
  readonly config: string;
  /** Asked about by the Envoy of the trial. */
  readonly workload: { readonly namespace: string; readonly name: string };
  /** Port of the provider whose tokens the example takes. */
  readonly issuerPort?: number;
  /** Lines to paste in the repository's folder, once it is known where to ask (`host:port`). */
  readonly lines: (address: string) => readonly string[];
  /** Lines that show the certificate authority, to be pasted in the repository's folder. */
  readonly authorityLines?: readonly string[];
  /** What else to know about it. */
  readonly note?: string;
}

/** The user of the trial's provider. Everybody may know the secret: the provider listens on loopback and gives tokens for the trial alone. */
export const trialUser = { id: "alice", secret: "wonderland" };

/** Where the authority of the trial's provider is written, below the repository's folder: `jwt.caFile` of the example. */
export const trialAuthority = ".cache/trial/ca.crt";

/** Where the lines of the trial put a certificate, below the repository's folder. */
const trialCertificates = ".cache/trial/nginx";

const askForToken = (port: number) =>
  `curl -s --cacert ${trialAuthority} -u ${trialUser.id}:${trialUser.secret} -d 'grant_type=client_credentials&scope=read' https://localhost:${port}/token`;

/** `--jwt` chooses the second. */
export const trials: Readonly<Record<"hello" | "jwt", Trial>> = {
  hello: {
    example: "hello",
    config: "with-ca.yaml",
    workload: { namespace: "hello", name: "hello-v1" },
    lines: (address) => [
      `curl -i http://${address}/hello          # allowed`,
      `curl -i http://${address}/hello/admin    # denied`,
    ],
    authorityLines: [
      `npm run -s garita -- ca issue -c examples/hello/with-ca.yaml --id spiffe://hello.mesh/ns/web/sa/nginx -o ${trialCertificates} --force`,
      `npm run -s garita -- ca inspect ${trialCertificates}/cert-chain.pem`,
    ],
  },
  jwt: {
    example: "jwt",
    config: "garita.yaml",
    workload: { namespace: "shop", name: "orders-1" },
    issuerPort: 9443,
    lines: (address) => [
      `TOKEN=$(${askForToken(9443)} | sed 's/.*"access_token":"\\([^"]*\\).*/\\1/')`,
      `curl -i http://${address}/orders                                      # 403: no token`,
      `curl -i http://${address}/orders -H "Authorization: Bearer $TOKEN"    # 200, and the application gets x-user: alice`,
      `curl -i http://${address}/orders -H "Authorization: Bearer x$TOKEN"   # 401: no good token`,
    ],
    note: "The provider knows the scopes `read` and `write`; its tokens end after 600 seconds.",
  },
};
