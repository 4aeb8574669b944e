import { stat } from "node:fs/promises";
import { createDenyListFollower, type DenyListEvents } from "#ca/deny-list/follow-deny-list";
import type { DenyListLink, DenyListLinkStart } from "#ca/deny-list/open-link";
import { denyListFile } from "#ca/deny-list/state-file";
import type { Certificate } from "#ca/x509/contract";
import type { DenyList } from "#identity/deny-list/deny-list";
import type { Clock } from "#platform/clock";
import { messageOf } from "#platform/coded-error";
import type { Log } from "#platform/log";
import type { Timers } from "#platform/timers";
import { createWatch } from "#platform/watch";
import type { RevocationsConfig } from "../../config/model.ts";
import type { RemoteDenyList } from "./create.ts";
import { readRemoteBundle, readRemoteClient } from "./remote-files.ts";

export interface FollowRemoteParts {
  readonly openLink: (start: DenyListLinkStart, events: DenyListEvents) => DenyListLink;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly log: Log;
}

/** For so long a start waits for the authority: what is kept may be older than the newest revocation. */
const patienceMillis = 1_000;
/** Bundle, certificate and key are written one after the other. */
const quietMillis = 150;
const pollMillis = 10_000;

/**
 * Follows the deny list of an authority elsewhere: what the disk holds counts at once, then what the authority sends. Files that are not there yet, or not of use, are told and looked at again when they change;
 * with other ones the connection is made anew. Never rejects for what can mend itself.
 */
export async function followRemote(
  config: RevocationsConfig,
  held: DenyList | undefined,
  onList: (list: DenyList) => void,
  { openLink, clock, timers, log }: FollowRemoteParts,
): Promise<RemoteDenyList> {
  const { trustDomain, address, serverName, bundleFile, certificateFile, keyFile } = config;
  const heard = Promise.withResolvers<void>();
  let anchors: readonly Certificate[] = [];
  const follower = createDenyListFollower({
    trustDomain,
    anchors: () => anchors,
    held,
    file: denyListFile(config.stateFile),
    clock,
    log,
    onList,
  });
  const events: DenyListEvents = {
    update(signed) {
      const refused = follower.events.update(signed);
      heard.resolve();
      return refused;
    },
    connected: follower.events.connected,
    disconnected(reason) {
      follower.events.disconnected(reason);
      heard.resolve();
    },
  };
  let link: DenyListLink | undefined;
  let mark = "";
  let stopped = false;
  const look = async () => {
    try {
      const bundle = await readRemoteBundle(config);
      ({ anchors } = bundle);
      await follower.load();
      const client = await readRemoteClient(config);
      const now = JSON.stringify([bundle.pem, client]);
      if (stopped || now === mark) return;
      const next = openLink({ trustDomain, address, serverName, rootsPem: bundle.pem, client }, events);
      link?.close();
      link = next;
      mark = now;
    } catch (fault) {
      if (link === undefined) events.disconnected(messageOf(fault));
      log.warn({ reason: messageOf(fault) }, "the files to ask for the deny list with are not of use");
    }
  };
  let looking = look();
  const paths = [bundleFile, certificateFile, keyFile];
  const unwatch = await createWatch({
    paths,
    quietMillis,
    pollMillis,
    fingerprint: () => fingerprintOf(paths),
    onChange() {
      looking = looking.then(look);
    },
  });
  await looking;
  const cancel = timers.after(patienceMillis, heard.resolve);
  await heard.promise;
  cancel();
  return {
    status: follower.status,
    async stop() {
      stopped = true;
      await unwatch();
      await looking;
      link?.close();
      await follower.settled();
    },
  };
}

/** A file that is not there is one more state of it. */
async function fingerprintOf(paths: readonly string[]): Promise<string> {
  const marks = paths.map(async (path) => {
    const found = await stat(path, { bigint: true }).catch(() => undefined);
    return found === undefined ? "none" : `${found.ino}:${found.size}:${found.mtimeNs}`;
  });
  return (await Promise.all(marks)).join(" ");
}
