import type { StalenessSettings } from "#authz/rulesets/staleness";
import type { FaultCode } from "#platform/fault-codes";

/** What happens next, in this order. Times are seconds; the clock stands still but for `wait`. */
export interface ExpiryStep {
  readonly wait?: number;
  /** From now on the server has this bundle: `r1` is older than `r2`. It is valid for so long from the beginning of the case; undefined: for ever. */
  readonly offer?: { readonly revision: "r1" | "r2"; readonly validFor?: number };
  /** Nobody answers any more. */
  readonly away?: true;
  /** Another service over the same folder. */
  readonly restart?: true;
  readonly load?: "activated" | "unchanged" | "refused";
  /** How it is expected: which rules are in force; is it ready, current; is every request denied; what the status says of the candidate. */
  readonly expected: readonly [
    revision: string | undefined,
    ready: boolean,
    current: boolean,
    denies: boolean,
    code: FaultCode | undefined,
  ];
}

export interface ExpiryCase {
  readonly title: string;
  readonly staleness?: StalenessSettings;
  readonly steps: readonly ExpiryStep[];
}

const deny = { maxStaleMillis: undefined, reaction: "deny" } as const;
const notReady = { maxStaleMillis: undefined, reaction: "not-ready" } as const;
const good = (revision: string) => [revision, true, true, false, undefined] as const;

/** How bundles that expire come into force, and what becomes of them. */
export const expiryCases: readonly ExpiryCase[] = [
  {
    title: "without an expiry it stays current for ever",
    staleness: deny,
    steps: [
      { offer: { revision: "r1" }, load: "activated", expected: good("r1") },
      { wait: 1e9, load: "unchanged", expected: good("r1") },
    ],
  },
  {
    title: "in force and expired, nothing follows but the status",
    steps: [
      { offer: { revision: "r1", validFor: 100 }, load: "activated", expected: good("r1") },
      { wait: 99, expected: good("r1") },
      { wait: 1, expected: ["r1", true, false, false, undefined] },
      { load: "refused", expected: ["r1", true, false, false, "bundle/expired"] },
    ],
  },
  {
    title: "in force and expired, it is not ready where that is asked for",
    staleness: notReady,
    steps: [
      { offer: { revision: "r1", validFor: 100 }, load: "activated", expected: good("r1") },
      { wait: 100, expected: ["r1", false, false, false, undefined] },
    ],
  },
  {
    title:
      "in force and expired, everything is denied where that is asked for, though the server says that there is none newer",
    staleness: deny,
    steps: [
      { offer: { revision: "r1", validFor: 100 }, load: "activated", expected: good("r1") },
      { wait: 98, load: "unchanged", expected: good("r1") },
      { wait: 2, expected: ["r1", false, false, true, undefined] },
      { load: "refused", expected: ["r1", false, false, true, "bundle/expired"] },
      { load: "refused", expected: ["r1", false, false, true, "bundle/expired"] },
    ],
  },
  {
    title: "a newer bundle repairs it, and its own expiry counts",
    staleness: deny,
    steps: [
      { offer: { revision: "r1", validFor: 100 }, load: "activated", expected: good("r1") },
      { wait: 100, load: "refused", expected: ["r1", false, false, true, "bundle/expired"] },
      { offer: { revision: "r2", validFor: 200 }, load: "activated", expected: good("r2") },
      { wait: 100, expected: ["r2", false, false, true, undefined] },
      { offer: { revision: "r2" }, load: "unchanged", expected: good("r2") },
      { wait: 1e9, expected: good("r2") },
    ],
  },
  {
    title: "an expired bundle is not taken, and what is in force stays",
    staleness: deny,
    steps: [
      { offer: { revision: "r1" }, load: "activated", expected: good("r1") },
      {
        wait: 100,
        offer: { revision: "r2", validFor: 100 },
        load: "refused",
        expected: ["r1", true, false, false, "bundle/expired"],
      },
      { load: "refused", expected: ["r1", true, false, false, "bundle/expired"] },
      { offer: { revision: "r2", validFor: 101 }, load: "activated", expected: good("r2") },
    ],
  },
  {
    title: "an expired bundle is not taken at a first start",
    steps: [
      {
        wait: 100,
        offer: { revision: "r1", validFor: 100 },
        load: "refused",
        expected: [undefined, false, false, false, "bundle/expired"],
      },
    ],
  },
  {
    title: "by a clock that is set right again a bundle that seemed to be expired is taken",
    steps: [
      {
        wait: 1000,
        offer: { revision: "r1", validFor: 100 },
        load: "refused",
        expected: [undefined, false, false, false, "bundle/expired"],
      },
      { wait: -1000, load: "activated", expected: good("r1") },
    ],
  },
  {
    title: "kept, and expired before a start without the server: in force and told",
    steps: [
      { offer: { revision: "r1", validFor: 100 }, load: "activated", expected: good("r1") },
      {
        wait: 100,
        away: true,
        restart: true,
        load: "activated",
        expected: ["r1", true, false, false, "bundle/unreachable"],
      },
    ],
  },
  {
    title: "kept, and expired before a start without the server: nothing is decided by it where that is asked for",
    staleness: deny,
    steps: [
      { offer: { revision: "r1", validFor: 100 }, load: "activated", expected: good("r1") },
      {
        wait: 100,
        away: true,
        restart: true,
        load: "activated",
        expected: ["r1", false, false, true, "bundle/unreachable"],
      },
    ],
  },
  {
    title: "kept, and expired before a start with a server that has none newer",
    staleness: notReady,
    steps: [
      { offer: { revision: "r1", validFor: 100 }, load: "activated", expected: good("r1") },
      { wait: 100, restart: true, load: "activated", expected: ["r1", false, false, false, "bundle/expired"] },
      { offer: { revision: "r2" }, load: "activated", expected: good("r2") },
    ],
  },
  {
    title: "kept, it expires after a start without the server",
    staleness: deny,
    steps: [
      { offer: { revision: "r1", validFor: 100 }, load: "activated", expected: good("r1") },
      {
        wait: 90,
        away: true,
        restart: true,
        load: "activated",
        expected: ["r1", true, false, false, "bundle/unreachable"],
      },
      { wait: 10, expected: ["r1", false, false, true, "bundle/unreachable"] },
    ],
  },
  {
    title: "what comes first counts: the age of the last answer, or the expiry",
    staleness: { maxStaleMillis: 60_000, reaction: "deny" },
    steps: [
      { offer: { revision: "r1", validFor: 100 }, load: "activated", expected: good("r1") },
      { wait: 60, expected: ["r1", false, false, true, undefined] },
      { load: "unchanged", expected: good("r1") },
      { wait: 40, expected: ["r1", false, false, true, undefined] },
      { load: "refused", expected: ["r1", false, false, true, "bundle/expired"] },
    ],
  },
];
