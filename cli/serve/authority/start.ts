import { randomBytes } from "node:crypto";
import type { ServerCertificate } from "#ca/authorities/server-certificate";
import { defaultAuthoritySettings } from "#ca/authorities/settings";
import type { DenyListPublisher } from "#ca/deny-list/publish-deny-list";
import { buildRegistrations } from "#ca/registration/build-registrations";
import type { AuthorityStatusPage } from "#ca/service/contract";
import { openAuthority } from "#ca/service/open-authority";
import { headFileOf, readHeadFile, writeHeadFile } from "#ca/store/head-file";
import { openSqliteStore } from "#ca/store/sqlite/open";
import { bundleStreams } from "#ca/transport/sds/bundle-streams";
import type { Address } from "#platform/address";
import type { Log } from "#platform/log";
import type { RuleSet } from "#policy-compiler/ruleset/model";
import type { Discovery } from "#xds/discovery";
import { registrationEntries } from "../registration-entries.ts";
import { type AuthorityKeysParts, followAuthorityKeys } from "./issuer-keys.ts";
import type { AuthorityObservers } from "./metrics.ts";
import { openAuthorityDiscovery } from "./open-discovery.ts";
import { openAuthorityDoors } from "./open-doors.ts";
import type { PreparedAuthority } from "./prepare.ts";

export interface AuthorityStart extends AuthorityKeysParts, AuthorityObservers {
  readonly version: string;
  readonly log: Log;
  readonly nextId: () => string;
  /** The rules in force, whose registrations say who may have which identity; undefined: there are none yet. */
  readonly ruleSet: () => RuleSet | undefined;
}

/** The authority of a service. */
export interface ServedAuthority {
  readonly addresses: readonly { readonly name: string; readonly address: Address }[];
  summary(): Omit<AuthorityStatusPage, "store">;
  readonly denyList: Pick<DenyListPublisher, "list" | "subscribe">;
  /** From the next request on. */
  configure(prepared: PreparedAuthority): void;
  /** Signed with the last head of its log; the store is closed. */
  stop(deadline: AbortSignal): Promise<void>;
}

/**
 * Opens the store, the authority and its doors. Fails with the coded error of whatever cannot be used: a store that is locked, damaged or without an authority, a
 * key-encryption key that does not fit, an address in use. Then nothing stays open.
 */
export async function startAuthority(prepared: PreparedAuthority, parts: AuthorityStart): Promise<ServedAuthority> {
  const { config } = prepared;
  const { clock, timers, log } = parts;
  const stops: ((deadline: AbortSignal) => void | Promise<void>)[] = [];
  const stop = async (deadline: AbortSignal) => {
    for (const one of stops.splice(0).reverse()) await one(deadline);
  };
  try {
    const store = await openSqliteStore({ file: config.store, nowMillis: clock.nowMillis, log, timers });
    stops.push(() => store.close());
    let { configuration, issuers } = prepared;
    const { tokens, keys } = await followAuthorityKeys(() => issuers, parts);
    stops.push(() => keys.stop());
    const headFile = headFileOf(config.store);
    let discovery: Discovery | undefined;
    const streams = () => bundleStreams(discovery?.status() ?? [], config.trustDomain);
    let doors: Awaited<ReturnType<typeof openAuthorityDoors>> | undefined;
    const authority = await openAuthority({
      trustDomain: config.trustDomain,
      store,
      keyEncryptionKey: prepared.keyEncryptionKey,
      authoritySettings: {
        ...defaultAuthoritySettings,
        issuingKeyKind: config.issuing.keyKind,
        issuingLifetimeMillis: config.issuing.lifetimeSeconds * 1000,
        longestLeafMillis: config.leaf.maxTtlSeconds * 1000,
      },
      configuration: () => configuration,
      serverNames: config.serverNames,
      registrations: registrationsOf(parts.ruleSet),
      tokens,
      clock,
      timers,
      randomBytes,
      nextId: parts.nextId,
      nextTurn: setImmediate,
      log,
      onOutcome: parts.onOutcome,
      exportHead: (head) => writeHeadFile(headFile, head),
      exportedHead: () => readHeadFile(headFile),
      streams,
      discoveryStreams: () => discovery?.status() ?? [],
      onServerCertificate: (certificate) => doors?.updateTls(doorTls(certificate)),
    });
    stops.push(() => authority.stop());
    const { serverCertificate } = authority;
    discovery = openAuthorityDiscovery(config, authority, { ...parts, chance: Math.random });
    stops.push(() => discovery?.close());
    doors = await openAuthorityDoors(
      config,
      authority,
      discovery,
      serverCertificate && doorTls(serverCertificate),
      parts,
    );
    stops.push((deadline) => doors?.stop(deadline));
    return {
      addresses: doors.addresses,
      summary: authority.summary,
      denyList: authority.denyList,
      configure(next) {
        ({ configuration, issuers } = next);
        void keys.follow(issuers.keySources, 0);
      },
      stop,
    };
  } catch (fault) {
    await stop(AbortSignal.abort());
    throw fault;
  }
}

function doorTls({ certPem, keyPem }: ServerCertificate) {
  return { cert: certPem, key: keyPem };
}

/** Registrations of the rules in force, indexed once for each rule set. */
function registrationsOf(ruleSet: () => RuleSet | undefined) {
  const none = { entries: [], index: buildRegistrations([]) };
  let built: { readonly of: RuleSet; readonly registrations: ReturnType<typeof registered> } | undefined;
  return () => {
    const inForce = ruleSet();
    if (inForce === undefined) return none;
    if (built?.of !== inForce) built = { of: inForce, registrations: registered(inForce) };
    return built.registrations;
  };
}

function registered(ruleSet: RuleSet) {
  const entries = registrationEntries(ruleSet);
  return { entries, index: buildRegistrations(entries) };
}
