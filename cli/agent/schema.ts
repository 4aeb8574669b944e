import { keyKinds } from "#ca/x509/contract";
import { type ConfigSchema, integer, object, text } from "../config/schema-parts.ts";
import { agentDefaults } from "./defaults.ts";

const daySeconds = 86_400;
const { fileNames } = agentDefaults;

const authority = object(
  "The certificate authority.",
  {
    address: text("Its door for `CreateCertificate` (`ca.grpc` of the authority): `host:port` or `[IPv6]:port`.", {
      examples: ["ca.example.org:15012"],
    }),
    serverName: text("A name or address in its server certificate. Unset: the host of `address`."),
    serverSpiffeId: text("The SPIFFE ID in its server certificate. Unset: that of a Garita of the trust domain.", {
      examples: ["spiffe://example.org/garita/ca"],
    }),
    bundleFile: text(
      "PEM: the roots that the server is verified by at the first contact, for identities with `jwtFile`. Later those count that the authority sends.",
    ),
    rootFingerprint: text(
      "SHA-256 of the root certificate (DER), 64 hexadecimal digits, instead of `bundleFile`. The server must show the root with its certificate, as Garita does.",
      { pattern: "^[0-9a-f]{64}$" },
    ),
  },
  { required: ["address"] },
);

const reload = object(
  "A command that makes the server read the files again.",
  {
    command: {
      type: "array",
      description: "The program and its arguments, each by itself: no shell reads them.",
      items: text("The program's path, or an argument."),
      minItems: 1,
    },
    timeoutSeconds: integer("It is ended when it takes longer.", 1, 600, agentDefaults.reloadTimeoutSeconds),
  },
  { required: ["command"] },
);

const octalMode = (description: string, value: string) => text(description, { pattern: "^0[0-7]{3}$", default: value });

const files = object(
  "Key, chain and roots as PEM files, for servers that know no SDS. Each is replaced whole, the chain last.",
  {
    folder: text("It must exist, and belong to the agent's user or group: files have the agent's owner."),
    key: text("Name of the private key's file.", { default: fileNames.key }),
    chain: text("Name of the file of the certificate and its intermediates.", { default: fileNames.chain }),
    bundle: text("Name of the file of the roots.", { default: fileNames.bundle }),
    keyMode: octalMode("Mode of the private key's file, less the `umask` of the agent.", agentDefaults.keyMode),
    mode: octalMode("Mode of the other two.", agentDefaults.mode),
    reload,
  },
  { required: ["folder"] },
);

const identity = object(
  "An identity that is kept here.",
  {
    spiffeId: text("Its SPIFFE ID. A registration of the authority must give it.", {
      examples: ["spiffe://example.org/ns/shop/sa/web"],
    }),
    socket: text(
      "Path of the Unix socket that serves it: Envoy's SDS and the SPIFFE Workload API. Whoever can open it has the identity. Its folder must exist.",
      { examples: ["/run/garita-agent/web.sock"] },
    ),
    socketMode: octalMode("Mode of the socket.", agentDefaults.socketMode),
    joinTokenFile: text(
      "A file (mode 0600) with a join token (`garita ca token new`), for the first certificate. It names the root, and is good once.",
    ),
    jwtFile: text("A file with a token of an issuer that the authority knows, read anew each time it is needed."),
    keyKind: text("Kind of its keys.", { enum: [...keyKinds], default: agentDefaults.keyKind }),
    ttlSeconds: integer("Lifetime to ask for. Unset: the authority's default.", 60, 90 * daySeconds),
    files,
  },
  { required: ["spiffeId", "socket"] },
);

/** THE description of `agent.yaml`, as JSON Schema (draft-07): it checks files and is the source of `docs/agent-config.md`. */
export const agentSchema: ConfigSchema = object(
  "Configuration of `garita agent`. Paths of files are relative to this file.",
  {
    authority,
    stateFolder: text(
      "A folder for the agent's user alone (mode 0700), where keys, certificates and roots outlive a restart. It is made where it is not there.",
      { examples: ["/var/lib/garita-agent"] },
    ),
    statusSocket: text("Path of a Unix socket (mode 0600) for `garita agent status`. Its folder must exist.", {
      examples: ["/run/garita-agent/status.sock"],
    }),
    identities: { type: "array", description: "One or more.", items: identity, minItems: 1 },
    logging: object("The log: JSON lines on standard output.", {
      level: text("Lines below this level are not written.", {
        enum: ["trace", "debug", "info", "warn", "error", "fatal", "silent"],
        default: "info",
      }),
    }),
  },
  { required: ["authority", "stateFolder", "identities"] },
);
