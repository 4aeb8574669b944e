import { normalize } from "node:path";
import { parseSpiffeId } from "#identity/spiffe-id";
import { parseAddress } from "#platform/address";
import type { Path } from "../config/located-yaml.ts";
import { fault, onKey, type ShapeFault } from "../config/shape-fault.ts";
import { agentDefaults } from "./defaults.ts";
import type { RawAgent, RawAgentIdentity } from "./model.ts";

type Rule = (raw: RawAgent) => (ShapeFault | undefined)[];

/** What the schema of `agent.yaml` cannot say: rules between its keys. */
export function checkAgentRules(raw: RawAgent): ShapeFault[] {
  return rules.flatMap((rule) => rule(raw)).filter((each) => each !== undefined);
}

const rules: readonly Rule[] = [
  ({ authority: { address } }) => [
    parseAddress(address)?.kind === "tcp"
      ? undefined
      : fault(
          "config/address",
          ["authority", "address"],
          `not a TCP address: \`${address}\``,
          "`host:port` or `[IPv6]:port`",
        ),
  ],
  ({ authority: { serverSpiffeId }, identities }) => [
    serverSpiffeId === undefined || trustDomainOf(serverSpiffeId) === trustDomainOf(identities[0]!.spiffeId)
      ? undefined
      : fault(
          "config/value",
          ["authority", "serverSpiffeId"],
          `not a SPIFFE ID of the identities' trust domain: \`${serverSpiffeId}\``,
        ),
  ],
  ({ authority: { bundleFile, rootFingerprint } }) => [
    bundleFile !== undefined && rootFingerprint !== undefined
      ? onKey(
          "config/value",
          ["authority", "rootFingerprint"],
          "`bundleFile` and `rootFingerprint` both say whom to trust",
        )
      : undefined,
  ],
  ({ identities }) =>
    identities.map(({ spiffeId }, i) => {
      const path = ["identities", i, "spiffeId"];
      const domain = trustDomainOf(spiffeId);
      if (domain === undefined)
        return fault("config/value", path, `expected the SPIFFE ID of a workload, found \`${spiffeId}\``);
      const first = trustDomainOf(identities[0]!.spiffeId);
      return first === undefined || domain === first
        ? undefined
        : fault(
            "config/value",
            path,
            `\`${spiffeId}\` is of another trust domain than \`${first}\``,
            "an agent has one authority",
          );
    }),
  ({ identities }) => identities.flatMap((identity, i) => attestationFaults(identity, ["identities", i])),
  ({ identities, authority: { bundleFile, rootFingerprint } }) =>
    identities.map(({ jwtFile }, i) =>
      jwtFile === undefined || bundleFile !== undefined || rootFingerprint !== undefined
        ? undefined
        : fault(
            "config/missing-key",
            ["identities", i, "jwtFile"],
            "a token would be sent to whoever answers",
            "add `authority.bundleFile` or `authority.rootFingerprint`",
          ),
    ),
  ({ identities, statusSocket }) => [
    ...identities.map(({ socket }, i) => socketFault(socket, ["identities", i, "socket"])),
    statusSocket === undefined ? undefined : socketFault(statusSocket, ["statusSocket"]),
  ],
  ({ identities }) =>
    duplicates(
      identities.map(({ spiffeId }) => spiffeId),
      "spiffeId",
      "identity has the same ID",
    ),
  ({ identities, statusSocket }) => [
    ...duplicates(
      identities.map(({ socket }) => socket),
      "socket",
      "identity is served at",
    ),
    ...identities.map(({ socket }, i) =>
      socket === statusSocket
        ? fault("config/duplicate", ["identities", i, "socket"], `the status is served at \`${socket}\``)
        : undefined,
    ),
  ],
  ({ identities }) => {
    const taken = new Set<string>();
    return identities.flatMap(({ files }, i) => {
      if (files === undefined) return [];
      const path = ["identities", i, "files"];
      return (["key", "chain", "bundle"] as const).map((name) => {
        const file = files[name] ?? agentDefaults.fileNames[name];
        if (!/^[^/\0]{1,200}$/.test(file) || file === "." || file === "..")
          return fault(
            "config/value",
            [...path, name],
            `expected the name of a file, found \`${file}\``,
            "the folder is `folder`",
          );
        const place = normalize(`${files.folder}/${file}`);
        if (taken.has(place)) return fault("config/duplicate", path, `something else is written to \`${place}\``);
        taken.add(place);
        return undefined;
      });
    });
  },
];

function attestationFaults({ joinTokenFile, jwtFile }: RawAgentIdentity, path: Path): (ShapeFault | undefined)[] {
  if (joinTokenFile !== undefined && jwtFile !== undefined)
    return [
      onKey("config/value", [...path, "jwtFile"], "`joinTokenFile` and `jwtFile` both say how the agent proves itself"),
    ];
  return joinTokenFile === undefined && jwtFile === undefined
    ? [
        fault(
          "config/missing-key",
          path,
          "nothing proves the identity to the authority",
          "add `joinTokenFile` or `jwtFile`",
        ),
      ]
    : [];
}

function socketFault(path: string, place: Path): ShapeFault | undefined {
  return parseAddress(`unix:${path}`) === undefined
    ? fault("config/address", place, `not a path for a Unix socket: \`${path}\``, "at most 107 bytes")
    : undefined;
}

function duplicates(values: readonly string[], key: string, what: string): (ShapeFault | undefined)[] {
  return values.map((value, i) =>
    values.indexOf(value) < i
      ? fault("config/duplicate", ["identities", i, key], `another ${what} \`${value}\``)
      : undefined,
  );
}

/** Undefined: it is no workload's SPIFFE ID. */
function trustDomainOf(text: string): string | undefined {
  const parsed = parseSpiffeId(text);
  return parsed.ok && parsed.id.path !== "" ? parsed.id.trustDomain : undefined;
}
