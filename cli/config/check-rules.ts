import { isIP } from "node:net";
import { isLocal, parseAddress } from "#platform/address";
import { splitBlock } from "#platform/fetch/block";
import { checkCaRules } from "./check-ca-rules.ts";
import { checkGitRules } from "./check-git-rules.ts";
import { checkRevocationsRules } from "./check-revocations-rules.ts";
import { jwtDefaults } from "./jwt-defaults.ts";
import type { RawConfig, RawListener } from "./model.ts";
import { normalAddress } from "./normal-address.ts";
import { fault, onKey, type ShapeFault } from "./shape-fault.ts";

type Rule = (config: RawConfig) => (ShapeFault | undefined)[];
type ListenerRule = (listener: RawListener, path: readonly (string | number)[]) => (ShapeFault | undefined)[];

/** What a schema cannot say: rules between keys. Each gets a configuration whose shape is right. */
export function checkRules(config: RawConfig): ShapeFault[] {
  const perListener = config.listeners.flatMap((listener, i) =>
    listenerRules.flatMap((rule) => rule(listener, ["listeners", i])),
  );
  return [
    ...perListener,
    ...rules.flatMap((rule) => rule(config)),
    ...checkCaRules(config),
    ...checkGitRules(config),
    ...checkRevocationsRules(config),
  ].filter((fault) => fault !== undefined);
}

const httpOnly = ["destination", "pathPrefix", "attributeHeaders", "upstreamHeaders"] as const;

const listenerRules: readonly ListenerRule[] = [
  ({ address }, path) => [
    parseAddress(address) === undefined
      ? fault("config/address", [...path, "address"], `not an address: \`${address}\``, addressHelp)
      : undefined,
  ],
  (listener, path) =>
    httpOnly.map((key) =>
      listener.protocol === "grpc" && listener[key] !== undefined
        ? onKey("config/wrong-protocol", [...path, key], `\`${key}\` is for listeners with \`protocol: http\``)
        : undefined,
    ),
  (listener, path) => [
    listener.attributeHeaders === true && !local(listener.address) && !provesClients(listener)
      ? fault(
          "config/needs-proof",
          [...path, "attributeHeaders"],
          `\`attributeHeaders\` on \`${listener.address}\` believes headers that other machines can send`,
          "add `tls.clientCaFile` or `secretFile`",
        )
      : undefined,
  ],
  (listener, path) => [
    listener.explainToClient === true && !local(listener.address) && listener.explainToClientForce !== true
      ? fault(
          "config/tells-clients",
          [...path, "explainToClient"],
          `\`explainToClient\` on \`${listener.address}\` tells clients why they were denied`,
          "for development only; `explainToClientForce: true` allows it",
        )
      : undefined,
  ],
  ({ destination }, path) => [
    destination !== undefined && isIP(destination.address) === 0
      ? fault(
          "config/value",
          [...path, "destination", "address"],
          `expected an IP address, found \`${destination.address}\``,
        )
      : undefined,
  ],
  ({ workload }, path) => {
    if (workload === undefined) return [];
    const place = [...path, "workload"];
    const { workload: name, namespace, labels } = workload;
    return [
      labels !== undefined && namespace === undefined
        ? fault("config/workload", place, "`labels` describe a workload only together with `namespace`")
        : undefined,
      namespace !== undefined && labels === undefined && name === undefined
        ? fault(
            "config/workload",
            place,
            "`namespace` alone does not tell which workload is meant",
            "add `labels` (`{}` for none) or `workload`",
          )
        : undefined,
      labels !== undefined && name !== undefined
        ? fault("config/workload", place, "`workload` names an entry and `labels` describe one: only one of them")
        : undefined,
    ];
  },
  ({ tls }, path) => [tlsFault(tls, [...path, "tls"])],
  ({ socketMode, address }, path) => [
    socketMode !== undefined && !address.startsWith("unix:")
      ? onKey("config/address", [...path, "socketMode"], "`socketMode` is for Unix sockets")
      : undefined,
  ],
];

const rules: readonly Rule[] = [
  ({ listeners }) => repeated(listeners.map(({ name }) => name)).map((i) => duplicate(i, "name", listeners[i]!.name)),
  ({ listeners, admin }) => {
    const own = listeners.map(({ address }) => normalAddress(address));
    const taken = [...own, ...(admin?.address === undefined ? [] : [normalAddress(admin.address)])];
    return repeated(taken).map((i) =>
      i < own.length
        ? duplicate(i, "address", listeners[i]!.address)
        : fault("config/duplicate", ["admin", "address"], "a listener has the same address"),
    );
  },
  ({ admin }) => {
    if (admin?.address === undefined) {
      return [
        admin?.tls === undefined ? undefined : onKey("config/tls", ["admin", "tls"], "`tls` is for `admin.address`"),
        admin?.tokenFile === undefined
          ? undefined
          : onKey("config/tls", ["admin", "tokenFile"], "`tokenFile` is for `admin.address`"),
      ];
    }
    const path = ["admin", "address"];
    const address = parseAddress(admin.address);
    if (address === undefined || address.kind === "unix") {
      const help = "a Unix socket is `admin.socket`";
      return [fault("config/address", path, `not a TCP address: \`${admin.address}\``, help)];
    }
    const credential = admin.tokenFile !== undefined || admin.tls?.clientCaFile !== undefined;
    return [
      isLocal(address) || (admin.tls !== undefined && credential)
        ? undefined
        : fault(
            "config/admin-exposed",
            path,
            `the admin API on \`${admin.address}\` is open to other machines`,
            "add `tls`, and `tokenFile` or `tls.clientCaFile`, or listen on 127.0.0.1",
          ),
    ];
  },
  ({ admin }) => [tlsFault(admin?.tls, ["admin", "tls"])],
  ({ jwt }) =>
    (jwt?.blockedCidrs ?? []).map((text, i) =>
      splitBlock(text) === undefined
        ? fault("config/value", ["jwt", "blockedCidrs", i], `expected \`address/bits\`, found \`${text}\``)
        : undefined,
    ),
  ({ jwt }) => {
    const { refreshSeconds, maxStaleSeconds } = { ...jwtDefaults, ...jwt };
    if (maxStaleSeconds >= 2 * refreshSeconds) return [];
    const place = ["jwt", jwt?.maxStaleSeconds === undefined ? "refreshSeconds" : "maxStaleSeconds"];
    const found = `\`maxStaleSeconds\` of ${maxStaleSeconds} is less than twice \`refreshSeconds\` of ${refreshSeconds}`;
    return [fault("config/value", place, found, "keys would be dropped because one refresh failed")];
  },
];

const addressHelp = "`host:port`, `[IPv6]:port` or `unix:/path`";

function tlsFault(tls: RawListener["tls"], path: readonly (string | number)[]): ShapeFault | undefined {
  if (tls?.allowedClients === undefined || tls.clientCaFile !== undefined) return undefined;
  return onKey(
    "config/tls",
    [...path, "allowedClients"],
    "`allowedClients` needs `clientCaFile`: names prove nothing alone",
  );
}

function provesClients(listener: RawListener): boolean {
  return listener.secretFile !== undefined || listener.tls?.clientCaFile !== undefined;
}

function local(text: string): boolean {
  const address = parseAddress(text);
  // What is no address is told by its own rule.
  return address === undefined || isLocal(address);
}

/** Indexes of texts that stand earlier in the list too. */
function repeated(texts: readonly (string | undefined)[]): number[] {
  return [...texts.keys()].filter((i) => texts[i] !== undefined && texts.indexOf(texts[i]) < i);
}

function duplicate(i: number, key: "name" | "address", value: string): ShapeFault {
  return fault("config/duplicate", ["listeners", i, key], `another listener has the same ${key} \`${value}\``);
}
