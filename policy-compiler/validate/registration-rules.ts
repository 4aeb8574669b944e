import { quote } from "#identity/encoding/quote";
import type { SpiffeIdFault } from "#identity/spiffe-id";
import { suggest } from "#policy-compiler/document/suggest";
import { parseSpiffeIdTemplate } from "#policy-compiler/document/values/spiffe-id-template";
import { parseDuration } from "#policy-compiler/ruleset/duration";
import { registrationKeyKinds } from "#policy-compiler/ruleset/model";
import { registrationLimits } from "#policy-compiler/ruleset/registration-limits";
import { spiffeIdPartsFault, trustDomainOf } from "#policy-compiler/ruleset/spiffe-id-parts";
import type { Located } from "#policy-compiler/source/diagnostic";
import { found } from "./quote.ts";
import type { AnyRow, Fault } from "./rule.ts";

/** Rows about WorkloadRegistration as a whole: which identity, for whom, and what its certificates may be. */
export const registrationRows: readonly AnyRow[] = [
  {
    code: "registration/spiffe-id",
    about: "registration",
    *find({ head, spiffeId }) {
      if (spiffeId === undefined) {
        yield { span: head.name.span, message: "expected `spiffeId` in a WorkloadRegistration, found none" };
        return;
      }
      const parsed = parseSpiffeIdTemplate(spiffeId.value);
      const fault = parsed.ok ? spiffeIdPartsFault(parsed.parts) : undefined;
      if (fault?.kind === "id") yield spiffeIdFault(spiffeId, fault.fault);
    },
  },
  {
    code: "registration/template",
    about: "registration",
    *find({ spiffeId }) {
      if (spiffeId === undefined) return;
      const parsed = parseSpiffeIdTemplate(spiffeId.value);
      const fault = parsed.ok ? spiffeIdPartsFault(parsed.parts)?.kind : parsed.fault;
      if (fault === "braces") {
        yield {
          span: spiffeId.span,
          message: `expected paths of claims in pairs of braces, ${found(spiffeId.value)}`,
          help: "write `{sub}`, or `{[a][b]}` for a claim inside another",
        };
      }
      if (fault === "claim-before-path") {
        yield {
          span: spiffeId.span,
          message: `expected claims in the path of an identity only, ${found(spiffeId.value)}`,
          help: "write `spiffe://`, the mesh's trust domain and a slash before the first claim",
        };
      }
      if (fault === "two-claims") {
        yield {
          span: spiffeId.span,
          message: `expected at most one claim in a segment of the path, ${found(spiffeId.value)}`,
          help: "put a slash between them: `a-b` with `c` and `a` with `b-c` would have one identity",
        };
      }
    },
  },
  {
    code: "registration/claim-path",
    about: "registration",
    *find({ spiffeId }) {
      const parsed = parseSpiffeIdTemplate(spiffeId?.value ?? "");
      if (spiffeId === undefined || parsed.ok || parsed.fault !== "claim") return;
      yield claimPathFault({ value: parsed.text, span: spiffeId.span });
    },
  },
  {
    code: "registration/trust-domain",
    about: "registration",
    *find({ spiffeId }, { trustDomain }) {
      const parsed = parseSpiffeIdTemplate(spiffeId?.value ?? "");
      if (spiffeId === undefined || !parsed.ok || spiffeIdPartsFault(parsed.parts) !== undefined) return;
      const written = trustDomainOf(parsed.parts);
      if (written === trustDomain) return;
      yield {
        span: spiffeId.span,
        message: `expected an identity of the mesh's trust domain ${quote(trustDomain)}, found one of ${quote(written)}`,
        help: "the mesh's is `trustDomain` in `mesh.yaml`, `cluster.local` where that says none",
      };
    },
  },
  {
    code: "registration/callers-missing",
    about: "registration",
    *find({ head, callers }) {
      if (callers.length > 0) return;
      yield {
        span: head.name.span,
        message: "expected an item in `callers`, found none",
        help: "write `- joinToken: {}` for tokens of `garita ca token new`, or `- jwt: …`, or `- spiffeId: …`",
      };
    },
  },
  {
    code: "registration/empty-field",
    about: "registration",
    *find({ dnsNames, keyKinds, ttl }) {
      for (const [field, list] of [
        ["dnsNames", dnsNames],
        ["keyKinds", keyKinds],
      ] as const) {
        if (list === undefined || list.values.length > 0) continue;
        yield {
          span: list.span,
          message: `expected a value in \`${field}\`, found none`,
          help: field === "keyKinds" ? "leave it out to take every kind" : "leave it out to give no DNS names",
        };
      }
      if (ttl === undefined || ttl.default !== undefined || ttl.max !== undefined) return;
      yield {
        span: ttl.span,
        message: "expected `default` or `max` in `ttl`, found neither",
        help: "leave it out to have the authority's",
      };
    },
  },
  {
    code: "registration/dns-name",
    about: "registration",
    *find({ dnsNames }) {
      for (const { value, span } of dnsNames?.values ?? []) {
        if (isDnsName(value)) continue;
        const isStar = value.includes("*");
        yield {
          span,
          message: `expected a DNS name${isStar ? " without wildcard" : " in lower case"}, ${found(value)}`,
          help: isStar
            ? "a certificate is for one workload: write its names out"
            : "letters, digits and inner hyphens between dots, without a dot at the end; no address",
        };
      }
    },
  },
  {
    code: "registration/dns-name-twice",
    about: "registration",
    find: ({ dnsNames }) => repeated(dnsNames?.values ?? [], "a DNS name"),
  },
  {
    code: "registration/key-kind",
    about: "registration",
    *find({ keyKinds }) {
      for (const { value, span } of keyKinds?.values ?? []) {
        if (registrationKeyKinds.some((kind) => kind === value)) continue;
        const near = suggest(value, registrationKeyKinds);
        yield {
          span,
          message: `expected one of ${registrationKeyKinds.map(quote).join(", ")}, ${found(value)}`,
          ...(near !== undefined && { help: `did you mean ${quote(near)}?` }),
        };
      }
      yield* repeated(keyKinds?.values ?? [], "a kind of key");
    },
  },
  {
    code: "registration/ttl",
    about: "registration",
    *find({ ttl }) {
      const range = "a duration of whole seconds from `1m` to `2160h`";
      for (const text of [ttl?.default, ttl?.max]) {
        if (text === undefined || isTtl(text.value)) continue;
        yield { span: text.span, message: `expected ${range}, ${found(text.value)}`, help: "write `24h` or `1h30m`" };
      }
      const { default: usual, max } = ttl ?? {};
      if (usual === undefined || max === undefined || !isTtl(usual.value) || !isTtl(max.value)) return;
      if (millisOf(usual.value) <= millisOf(max.value)) return;
      yield {
        span: usual.span,
        message: `expected a default of at most \`max\`, which is ${quote(max.value)}, ${found(usual.value)}`,
      };
    },
  },
  {
    code: "registration/too-many",
    about: "registration",
    *find({ callers, dnsNames }) {
      yield* surplus(callers, registrationLimits.callers, "items in `callers`");
      const names = dnsNames?.values ?? [];
      yield* surplus(names, registrationLimits.dnsNames, "items in `dnsNames`");
      const characters = names.reduce((sum, { value }) => sum + value.length, 0);
      if (dnsNames === undefined || characters <= registrationLimits.dnsNameCharacters) return;
      yield {
        span: dnsNames.span,
        message: `expected at most ${registrationLimits.dnsNameCharacters} characters in \`dnsNames\` together, found ${characters}`,
        help: "all of them go into one certificate",
      };
    },
  },
  {
    code: "registration/repeated",
    about: "registration",
    *find(registration, _mesh, { repeatedRegistrations }) {
      const first = repeatedRegistrations.get(registration);
      if (first === undefined) return;
      const { namespace, name } = first.head;
      yield {
        span: registration.head.name.span,
        message: `expected one registration of an identity for the same callers, found that of ${quote(`${namespace.value}/${name.value}`)} again`,
        help: "what this one says of certificates is never heard: remove it, or give it other callers",
      };
    },
  },
];

/** What is wrong with a SPIFFE ID, for its author. */
export function spiffeIdFault({ value, span }: Located<string>, fault: SpiffeIdFault | "no-path"): Fault {
  const help = spiffeIdHelp[fault];
  return { span, message: `expected a SPIFFE ID of a workload, ${found(value)}`, help };
}

const spiffeIdHelp: Readonly<Record<SpiffeIdFault | "no-path", string>> = {
  empty: "write `spiffe://`, the trust domain and a path",
  "too-long": "a SPIFFE ID has at most 2048 characters",
  "wrong-scheme": "begin it with `spiffe://`",
  "missing-trust-domain": "the trust domain stands behind `spiffe://`",
  "trust-domain-too-long": "a trust domain has at most 255 characters",
  "bad-trust-domain-character": "a trust domain has lower-case letters, digits, `.`, `-` and `_`",
  "bad-path-character": "a path has letters, digits, `.`, `-` and `_` between its slashes",
  "empty-path-segment": "remove one of two slashes",
  "dot-path-segment": "a path goes no way up: `.` and `..` are no names",
  "trailing-slash": "remove the slash at the end",
  "no-path": "write a path behind the trust domain, as in `/ns/web/sa/nginx`: without one it names the authority",
};

/** What is wrong with the path of a claim. */
export function claimPathFault({ value, span }: Located<string>): Fault {
  return {
    span,
    message: `expected the path of a claim, ${found(value)}`,
    help: "write `sub`, or `[a][b]` for a claim inside another",
  };
}

/** One fault, at the first item beyond the limit. */
export function* surplus(
  items: readonly { readonly span: Fault["span"] }[],
  most: number,
  what: string,
): Iterable<Fault> {
  const first = items[most];
  if (first !== undefined)
    yield { span: first.span, message: `expected at most ${most} ${what}, found ${items.length}` };
}

function* repeated(values: readonly Located<string>[], what: string): Iterable<Fault> {
  const seen = new Set<string>();
  for (const { value, span } of values) {
    if (seen.has(value)) yield { span, message: `expected ${what} once, found ${quote(value)} again` };
    seen.add(value);
  }
}

const dnsLabel = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

/** RFC 1123 §2.1 in lower case; what ends in a number is no name, but an address or a mistake. */
function isDnsName(text: string): boolean {
  const labels = text.split(".");
  return text.length <= 253 && labels.every((label) => dnsLabel.test(label)) && !/^[0-9]+$/.test(labels.at(-1) ?? "");
}

function isTtl(text: string): boolean {
  const parsed = parseDuration(text);
  if (!parsed.ok || !parsed.exact || parsed.millis % 1000 !== 0) return false;
  const seconds = parsed.millis / 1000;
  return seconds >= registrationLimits.minTtlSeconds && seconds <= registrationLimits.maxTtlSeconds;
}

function millisOf(text: string): number {
  const parsed = parseDuration(text);
  return parsed.ok ? parsed.millis : 0;
}
