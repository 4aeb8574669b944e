import { createPrivateKey, hash } from "node:crypto";
import type { ServerCertificate, ServerCertificateSource } from "#ca/authorities/server-certificate";
import { readPemBlocks } from "#ca/x509/pem";
import { type DeniedCertificate, DenyList } from "#identity/deny-list/deny-list";
import type { Clock } from "#platform/clock";
import { messageOf } from "#platform/coded-error";
import type { Log } from "#platform/log";
import type { Timers } from "#platform/timers";
import type { Resource } from "#xds/contract";
import { type DenyListSigner, signDenyList } from "./sign-deny-list.ts";

/** What is revoked now. */
export interface DeniedMembers {
  readonly certificates: readonly DeniedCertificate[];
  readonly identities: readonly string[];
  /** How many revocations are kept for good, which only grows. */
  readonly revocations: number;
}

export interface DenyListPublisherParts {
  readonly trustDomain: string;
  /** Of the store: raised by every restore. */
  readonly generation: number;
  readonly denied: () => DeniedMembers;
  /** Gives the signer's key and certificate, now and at each renewal. Rejects where none can be issued. */
  readonly openSigner: (onRenewed: (certificate: ServerCertificate) => void) => Promise<ServerCertificateSource>;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly nextTurn: (run: () => void) => void;
  readonly log: Log;
}

/** The deny list of a running authority. */
export interface DenyListPublisher {
  /** As it is now. */
  list(): DenyList;
  /** The same signed, for others. Undefined until a signer's certificate is there, which is issued when this is first asked for. */
  published(): Resource | undefined;
  /** Something more is revoked: the list is made anew in the next turn, once for all that come until then. */
  changed(): void;
  /** The issuing authority is another: a signer under it. */
  renewSigner(): void;
  /** `changed` is called after another list is there, or the same signed anew. Returns how to stop that. */
  subscribe(changed: () => void): () => void;
  close(): void;
}

/** A restored backup knows fewer revocations and has a higher generation: its sequence is higher all the same. */
const revocationsPerGeneration = 2 ** 32;
/** So long a certificate that has ended stays on the list: for clocks of proxies that go behind, and where this one is ahead, by which it has not ended at all. */
export const keptMillis = 24 * 60 * 60_000;
/** How often ended certificates are looked for. */
const lookMillis = 30 * 60_000;
const retryMillis = 5_000;

/** PERF: most authorities have nobody who asks for a signed list: no key is made and no certificate recorded before somebody does. */
export function createDenyListPublisher(parts: DenyListPublisherParts): DenyListPublisher {
  const { trustDomain, generation, clock, timers, nextTurn, log } = parts;
  const listeners = new Set<() => void>();
  let source: ServerCertificateSource | undefined;
  let signer: DenyListSigner | undefined;
  let resource: Resource | undefined;
  let due = false;
  let asked = false;
  let closed = false;
  let cancelLook = () => {};
  let cancelRetry = () => {};

  const build = (): DenyList => {
    const issuedMillis = clock.nowMillis();
    const { certificates, identities, revocations } = parts.denied();
    return new DenyList({
      trustDomain,
      sequence: generation * revocationsPerGeneration + revocations,
      issuedMillis,
      certificates: certificates.filter(
        ({ endsMillis }) => endsMillis === undefined || endsMillis + keptMillis > issuedMillis,
      ),
      identities,
    });
  };
  let list = build();
  const publish = () => {
    list = build();
    resource = signer && signedResource(list, signer);
    for (const changed of listeners) changed();
  };
  const soon = () => {
    if (due) return;
    due = true;
    nextTurn(() => {
      due = false;
      if (!closed) publish();
    });
  };
  const look = () => {
    cancelLook = timers.after(lookMillis, look);
    // More, too: a clock that was ahead has dropped what had not ended.
    if (build().certificates.length !== list.certificates.length) publish();
  };
  const open = async () => {
    try {
      const opened = await parts.openSigner((certificate) => {
        signer = signerOf(certificate);
        if (!closed) publish();
      });
      source = opened;
      if (closed) opened.close();
    } catch (fault) {
      log.warn({ reason: messageOf(fault) }, "the deny list cannot be signed");
      if (closed) return;
      cancelRetry = timers.after(retryMillis, () => void open());
    }
  };

  cancelLook = timers.after(lookMillis, look);
  return {
    list: () => list,
    published() {
      if (!asked && !closed) {
        asked = true;
        void open();
      }
      return resource;
    },
    changed: soon,
    renewSigner() {
      // A failure is logged, and tried again by itself.
      source?.renew().catch(() => {});
    },
    subscribe(changed) {
      listeners.add(changed);
      return () => void listeners.delete(changed);
    },
    close() {
      closed = true;
      cancelLook();
      cancelRetry();
      source?.close();
    },
  };
}

function signerOf({ certPem, keyPem }: ServerCertificate): DenyListSigner {
  const chain = readPemBlocks(certPem, "CERTIFICATE", { sizeCharacters: certPem.length, blocks: 16 });
  if (!chain.ok) throw new Error(`the authority's own chain cannot be read: ${chain.fault.message}`);
  return { privateKey: createPrivateKey(keyPem), chainDer: chain.value };
}

function signedResource(list: DenyList, signer: DenyListSigner): Resource {
  const body = signDenyList(list, signer);
  return { name: list.trustDomain, version: `${list.sequence}-${hash("sha256", body, "hex").slice(0, 16)}`, body };
}
