import { isIP } from "node:net";
import { parseSpiffeId } from "#identity/spiffe-id";
import { isLocal, parseAddress } from "#platform/address";
import { caDefaults } from "./ca-defaults.ts";
import type { RawCa } from "./ca-model.ts";
import type { Path } from "./located-yaml.ts";
import type { RawConfig } from "./model.ts";
import { normalAddress } from "./normal-address.ts";
import { fault, onKey, type ShapeFault } from "./shape-fault.ts";

type Rule = (ca: RawCa, config: RawConfig) => (ShapeFault | undefined)[];

/** What the schema of `ca` cannot say: rules between its keys, and with those of the other doors. */
export function checkCaRules(config: RawConfig): ShapeFault[] {
  const { ca } = config;
  if (ca === undefined) return [];
  return rules.flatMap((rule) => rule(ca, config)).filter((each) => each !== undefined);
}

const rules: readonly Rule[] = [
  ({ trustDomain }) => {
    const parsed = parseSpiffeId(`spiffe://${trustDomain}`);
    if (parsed.ok && parsed.id.path === "") return [];
    const help = "lower-case letters, digits, `.`, `-` and `_`, without `spiffe://` and without a path";
    return [fault("config/value", ["ca", "trustDomain"], `not a trust domain: \`${trustDomain}\``, help)];
  },
  ({ grpc, http, socket }) => [
    grpc === undefined && http === undefined && socket === undefined
      ? fault("config/missing-key", ["ca"], "nobody can ask the authority", "add `grpc`, `http` or `socket`")
      : undefined,
  ],
  (ca) => doorsOf(ca).map(({ path, address }) => tcpFault(path, address)),
  ({ grpc }) => [
    grpc?.plaintext === true && tcpAddress(grpc.address) !== undefined && !isLocal(tcpAddress(grpc.address)!)
      ? fault(
          "config/ca-plaintext",
          ["ca", "grpc", "plaintext"],
          `callers of \`${grpc.address}\` would send their tokens in clear text`,
          "listen on 127.0.0.1, or leave `plaintext` out",
        )
      : undefined,
  ],
  ({ grpc }) => [
    grpc?.plaintext === true && grpc.sdsKeys === true
      ? fault(
          "config/ca-plaintext",
          ["ca", "grpc", "sdsKeys"],
          "without TLS no caller has an identity that a key could be given to",
          "leave `plaintext` or `sdsKeys` out",
        )
      : undefined,
  ],
  ({ serverNames = [], grpc, http }) => {
    const needed = http !== undefined || (grpc !== undefined && grpc.plaintext !== true);
    return [
      needed && serverNames.length === 0
        ? fault(
            "config/ca-names",
            ["ca", "serverNames"],
            "no name for the authority's server certificate: no client would take it",
            "add the names and addresses that clients use to `serverNames`",
          )
        : undefined,
      ...serverNames.map((name, i) =>
        isServerName(name)
          ? undefined
          : fault(
              "config/value",
              ["ca", "serverNames", i],
              `expected a DNS name or an IP address, found \`${name}\``,
              "without scheme, port, wildcard and zone",
            ),
      ),
    ];
  },
  (ca, { listeners, admin }) => {
    const taken = [...listeners.map(({ address }) => address), admin?.address, unixAddress(admin?.socket)].map(
      normalOf,
    );
    const own = [
      ...doorsOf(ca),
      ...(ca.socket === undefined ? [] : [{ path: ["ca", "socket"], address: `unix:${ca.socket}` }]),
    ];
    return own.map(({ path, address }) => {
      const normal = normalOf(address);
      const isTaken = normal !== undefined && taken.includes(normal);
      taken.push(normal);
      return isTaken ? fault("config/duplicate", path, `something else listens on \`${address}\``) : undefined;
    });
  },
  ({ socket }) => [
    socket !== undefined && parseAddress(`unix:${socket}`) === undefined
      ? fault("config/address", ["ca", "socket"], `not a path for a Unix socket: \`${socket}\``)
      : undefined,
  ],
  ({ admins, http }) => [
    admins !== undefined && admins.length > 0 && http === undefined
      ? onKey("config/ca-admins", ["ca", "admins"], "`admins` come over `http`, which is not there")
      : undefined,
  ],
  ({ admins = [], trustDomain }) =>
    admins.map(({ spiffeId }, i) => {
      const path = ["ca", "admins", i, "spiffeId"];
      const parsed = parseSpiffeId(spiffeId);
      if (!parsed.ok || parsed.id.path === "" || parsed.id.trustDomain !== trustDomain) {
        const help = `\`spiffe://${trustDomain}/…\``;
        return fault("config/value", path, `expected a SPIFFE ID of the trust domain, found \`${spiffeId}\``, help);
      }
      return admins.findIndex((other) => other.spiffeId === spiffeId) < i
        ? fault("config/duplicate", path, `another administrator has the same ID \`${spiffeId}\``)
        : undefined;
    }),
  ({ issuers = [] }) =>
    issuers.flatMap(({ issuer, jwksUri, jwksFile }, i) => {
      const path = ["ca", "issuers", i];
      return [
        issuers.findIndex((other) => other.issuer === issuer) < i
          ? fault("config/duplicate", [...path, "issuer"], `another issuer has the same name \`${issuer}\``)
          : undefined,
        jwksUri !== undefined && jwksFile !== undefined
          ? onKey("config/value", [...path, "jwksFile"], "`jwksUri` and `jwksFile` both say where the keys are")
          : undefined,
        jwksUri !== undefined && !isWebAddress(jwksUri)
          ? fault("config/value", [...path, "jwksUri"], `expected \`http://…\` or \`https://…\`, found \`${jwksUri}\``)
          : undefined,
        jwksUri === undefined && jwksFile === undefined && !isWebAddress(issuer)
          ? fault(
              "config/value",
              [...path, "issuer"],
              `\`${issuer}\` is no address at which its keys could be found`,
              "add `jwksUri` or `jwksFile`",
            )
          : undefined,
      ];
    }),
  ({ leaf, issuing }) => {
    const { defaultTtlSeconds, maxTtlSeconds, minTtlSeconds } = { ...caDefaults.leaf, ...leaf };
    const { lifetimeSeconds } = { ...caDefaults.issuing, ...issuing };
    return [
      defaultTtlSeconds > maxTtlSeconds
        ? told(leaf, "defaultTtlSeconds", "maxTtlSeconds", "is more than", defaultTtlSeconds, maxTtlSeconds)
        : undefined,
      minTtlSeconds > defaultTtlSeconds
        ? told(leaf, "minTtlSeconds", "defaultTtlSeconds", "is more than", minTtlSeconds, defaultTtlSeconds)
        : undefined,
      lifetimeSeconds < 2 * defaultTtlSeconds
        ? fault(
            "config/value",
            issuing?.lifetimeSeconds === undefined
              ? ["ca", "leaf", "defaultTtlSeconds"]
              : ["ca", "issuing", "lifetimeSeconds"],
            `\`issuing.lifetimeSeconds\` of ${lifetimeSeconds} is less than twice \`leaf.defaultTtlSeconds\` of ${defaultTtlSeconds}`,
            "it is replaced at half its life, and a certificate never outlives what signed it",
          )
        : undefined,
    ];
  },
];

/** Two lifetimes that contradict each other, told where one of them is written. */
function told(
  leaf: RawCa["leaf"],
  key: "defaultTtlSeconds" | "minTtlSeconds",
  other: "maxTtlSeconds" | "defaultTtlSeconds",
  relation: string,
  seconds: number,
  otherSeconds: number,
): ShapeFault {
  const place = leaf?.[key] === undefined ? other : key;
  return fault(
    "config/value",
    ["ca", "leaf", place],
    `\`${key}\` of ${seconds} ${relation} \`${other}\` of ${otherSeconds}`,
  );
}

function doorsOf({ grpc, http }: RawCa): { readonly path: Path; readonly address: string }[] {
  return [
    ...(grpc === undefined ? [] : [{ path: ["ca", "grpc", "address"], address: grpc.address }]),
    ...(http === undefined ? [] : [{ path: ["ca", "http", "address"], address: http.address }]),
  ];
}

function tcpFault(path: Path, text: string): ShapeFault | undefined {
  if (tcpAddress(text) !== undefined) return undefined;
  return fault(
    "config/address",
    path,
    `not a TCP address: \`${text}\``,
    "`host:port` or `[IPv6]:port`; a Unix socket is `ca.socket`",
  );
}

function tcpAddress(text: string) {
  const address = parseAddress(text);
  return address?.kind === "tcp" ? address : undefined;
}

function unixAddress(path: string | undefined): string | undefined {
  return path === undefined ? undefined : `unix:${path}`;
}

function normalOf(address: string | undefined): string | undefined {
  return address === undefined ? undefined : normalAddress(address);
}

function isWebAddress(text: string): boolean {
  return /^https?:\/\//.test(text) && URL.canParse(text);
}

/** An address without a zone, or a DNS name (RFC 1123 §2.1) without a wildcard. */
function isServerName(name: string): boolean {
  if (isIP(name) !== 0) return !name.includes("%");
  // All digits and dots, but no IPv4 address: a slip, not a name.
  if (name.length > 253 || /^[0-9.]+$/.test(name)) return false;
  return name.split(".").every((label) => /^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/.test(label));
}
