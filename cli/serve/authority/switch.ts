import type { AuthorityStatusPage } from "#ca/service/contract";
import type { DenyList } from "#identity/deny-list/deny-list";
import type { Address } from "#platform/address";
import { messageOf } from "#platform/coded-error";
import type { Log } from "#platform/log";
import type { Metrics } from "#platform/metrics";
import type { CaConfig } from "../../config/ca-model.ts";
import type { JwtConfig } from "../../config/model.ts";
import { type AuthorityObservers, addAuthorityMetrics } from "./metrics.ts";
import type { PreparedAuthority } from "./prepare.ts";
import type { ServedAuthority } from "./start.ts";

/** What the authority depends on in a configuration, with its files read. */
export interface WantedAuthority {
  readonly prepared: PreparedAuthority;
  readonly jwt: JwtConfig;
  /** Equal texts: nothing has changed. */
  readonly mark: string;
  /** Equal texts: nothing has changed that an authority is started with. */
  readonly startMark: string;
}

/** The authority of the configuration in force, or none. */
export interface AuthoritySwitch {
  /** Reads the files that it needs. Fails with the coded error of the first that cannot be used. */
  prepare(config: CaConfig | undefined, jwt: JwtConfig): Promise<WantedAuthority | undefined>;
  /**
   * Makes it the one that runs. Where only lifetimes, limits, admins, issuers, names or blocked keys differ, they count from the next request on and no connection ends. Else one that ran is
   * stopped before, for a store has one owner; where the new one cannot start, it is started again and the fault thrown. One change after the other; after the end none.
   */
  become(wanted: WantedAuthority | undefined): Promise<void>;
  /** What runs now. */
  wanted(): WantedAuthority | undefined;
  addresses(): readonly { readonly name: string; readonly address: Address }[];
  summary(): Omit<AuthorityStatusPage, "store"> | undefined;
  /** The end. A change that is under way is waited for. */
  stop(deadline: AbortSignal): Promise<void>;
}

export interface AuthoritySwitchParts {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly metrics: Metrics;
  readonly start: (wanted: WantedAuthority, observers: AuthorityObservers) => Promise<ServedAuthority>;
  /** Hears the deny list of an authority that runs, now and at each change. */
  readonly onDenyList: (list: DenyList) => void;
  readonly log: Log;
}

/** How long connections may take to end before the store changes its owner. */
const drainMillis = 2_000;

/** PERF: nothing of the authority is loaded where none is configured. */
export function createAuthoritySwitch({
  environment,
  metrics,
  start,
  onDenyList,
  log,
}: AuthoritySwitchParts): AuthoritySwitch {
  let running: { readonly wanted: WantedAuthority; readonly served: ServedAuthority } | undefined;
  let observers: AuthorityObservers | undefined;
  let ended = false;
  let last: Promise<unknown> = Promise.resolve();
  const inTurn = (run: () => Promise<void>): Promise<void> => {
    const next = last.then(run);
    last = next.catch(() => undefined); // Whoever asked is told.
    return next;
  };
  const startOne = async (wanted: WantedAuthority) => {
    observers ??= addAuthorityMetrics(metrics, () => running?.served.summary());
    const served = await start(wanted, observers);
    const { denyList } = served;
    // It ends with the authority.
    denyList.subscribe(() => onDenyList(denyList.list()));
    onDenyList(denyList.list());
    return { wanted, served };
  };

  const become = async (wanted: WantedAuthority | undefined): Promise<void> => {
    if (ended || wanted?.mark === running?.wanted.mark) return;
    const old = running;
    if (old !== undefined && wanted !== undefined && wanted.startMark === old.wanted.startMark) {
      old.served.configure(wanted.prepared);
      running = { wanted, served: old.served };
      return;
    }
    running = undefined;
    try {
      await old?.served.stop(AbortSignal.timeout(drainMillis));
    } catch (fault) {
      log.error({ fault: messageOf(fault) }, "the certificate authority did not stop well");
    }
    if (wanted === undefined) return;
    try {
      running = await startOne(wanted);
    } catch (fault) {
      if (old !== undefined) {
        try {
          running = await startOne(old.wanted);
        } catch (again) {
          log.error({ fault: messageOf(again) }, "the certificate authority does not start again either");
        }
      }
      throw fault;
    }
  };

  let lastKey: PreparedAuthority["keyEncryptionKey"] | undefined;
  let keyVersion = 0;
  return {
    async prepare(config, jwt) {
      if (config === undefined) return undefined;
      const { prepareAuthority } = await import("./prepare.ts");
      const prepared = await prepareAuthority(config, environment);
      // Counted, so that no mark holds anything of the secret.
      if (lastKey?.equals(prepared.keyEncryptionKey) !== true) keyVersion++;
      lastKey = prepared.keyEncryptionKey;
      return { prepared, jwt, ...marksOf(config, jwt, prepared, keyVersion) };
    },
    become: (wanted) => inTurn(() => become(wanted)),
    wanted: () => running?.wanted,
    addresses: () => running?.served.addresses ?? [],
    summary: () => running?.served.summary(),
    stop(deadline) {
      ended = true;
      return inTurn(async () => {
        const served = running?.served;
        running = undefined;
        await served?.stop(deadline);
      });
    },
  };
}

function marksOf(config: CaConfig, jwt: JwtConfig, { fileDigests }: PreparedAuthority, keyVersion: number) {
  const { leaf, csrNames, renewalGraceSeconds, admins, limits, blockedKeysFile, issuers, ...rest } = config;
  return {
    mark: JSON.stringify([config, jwt, fileDigests, keyVersion]),
    // So long authorities that were replaced stay.
    startMark: JSON.stringify([rest, leaf.maxTtlSeconds, jwt, keyVersion]),
  };
}
