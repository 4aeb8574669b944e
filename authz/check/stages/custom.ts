import { BODIES_TOLD } from "#authz/custom/asked-body";
import { PARTIAL_BODY } from "#authz/custom/asked-headers";
import type { CustomProvider, ProviderOutcome, ProviderQuestion } from "#authz/custom/contract";
import type { CustomMatch } from "#authz/engine/contract";
import type { RuleRef } from "#authz/engine/decision";
import type { EditedRequest } from "#authz/engine/edited-request";
import { UNRESOLVED_SUFFIX } from "#policy-compiler/ruleset/providers/resolve";
import { OUR_PREFIX } from "../attributes/call-metadata.ts";
import { foundBy, type Progress, type StageContext, type StageResult } from "../progress.ts";
import { accessDenied, refusal } from "../refusal.ts";
import { refuse } from "../verdict.ts";
import type { CheckPeer } from "../wire/check-request.ts";

/**
 * CUSTOM rules matched: asks their provider, whose edits later stages see. With several providers on one workload, or one that cannot be resolved,
 * Istio denies what matches and asks nobody.
 */
export function askProvider(
  context: StageContext,
  progress: Progress,
  matches: readonly CustomMatch[],
): StageResult | Promise<StageResult> {
  return ask(context, { ...progress, conditionFaults: faultsOf(matches) }, matches);
}

function ask(
  context: StageContext,
  progress: Progress,
  matches: readonly CustomMatch[],
): StageResult | Promise<StageResult> {
  const { view, snapshot, remainingMillis } = context;
  const isHttp = context.question.request.http !== undefined;
  const [only] = matches;
  const several = view.customProviders.length > 1;
  const provider = several || only === undefined ? undefined : snapshot.providers.find(only.provider);
  if (provider === undefined) {
    const rule = lowestKey(matches);
    const why = several
      ? `the workload's policies name several providers: ${view.customProviders.join(", ")}`
      : snapshot.providers.why(only?.provider ?? "");
    const refused = refusal("custom/unresolved", why);
    return { ended: refuse(isHttp, refused, { ...foundBy(context, progress), custom: rule }) };
  }
  const { rule } = only as CustomMatch;
  return provider
    .ask(questionOf(context, progress), remainingMillis())
    .then((outcome) => follow(context, progress, { provider, rule }, outcome));
}

function follow(
  context: StageContext,
  progress: Progress,
  { provider, rule }: { readonly provider: CustomProvider; readonly rule: RuleRef },
  outcome: ProviderOutcome,
): StageResult {
  const isHttp = context.question.request.http !== undefined;
  const found = { ...foundBy(context, progress), custom: rule };
  switch (outcome.kind) {
    case "allowed": {
      const edited = outcome.request ?? progress.edited;
      return {
        progress: {
          ...progress,
          attributes:
            outcome.request === undefined ? progress.attributes : progress.attributes.after(edited, undefined),
          edited,
          clientHeaders: outcome.responseHeaders,
          detail: outcome.failedOpen && `provider \`${provider.name}\` failed open: ${outcome.failedOpen}`,
          failedOpen:
            outcome.failedOpen === undefined ? undefined : { provider: provider.name, fault: outcome.failedOpen },
        },
      };
    }
    case "denied": {
      const { status, body, headers } = outcome;
      const refused = refusal("custom/denied", `provider \`${provider.name}\` refused`, { status, body });
      return { ended: refuse(isHttp, refused, { ...found, clientHeaders: headers }) };
    }
    case "bodyTooLarge": {
      const detail = `provider \`${provider.name}\` takes no body as large`;
      const refused = refusal("request/too-large", detail, { status: 413, body: "Payload Too Large" });
      return { ended: refuse(isHttp, refused, foundBy(context, progress)) };
    }
    case "failed": {
      const refused = refusal("custom/failed", `provider \`${provider.name}\`: ${outcome.detail}`, {
        status: outcome.status,
        body: isHttp ? "" : accessDenied.body,
      });
      return { ended: refuse(isHttp, refused, found) };
    }
  }
}

function faultsOf(matches: readonly CustomMatch[]): Progress["conditionFaults"] {
  return matches.flatMap(({ rule, fault }) => (fault === undefined ? [] : [{ rule, code: fault }]));
}

function questionOf({ question }: StageContext, { edited }: Progress): ProviderQuestion {
  const { request, message, metadata } = question;
  const { http, source, destination, tlsSession } = request;
  return {
    http: http && {
      request: edited as EditedRequest,
      method: http.method,
      authority: http.host,
      scheme: http.scheme,
      protocol: http.protocol,
      headerNames: http.headerNamesBeginning("").filter((name) => !name.startsWith(OUR_PREFIX)),
      body: http.body() ?? (metadata.get(BODIES_TOLD).length > 0 ? noBody : undefined),
      bodyIsPartial: http.headerLines(PARTIAL_BODY)[0] === "true",
    },
    message,
    peers: { source: peerOf(source), destination: peerOf(destination), sni: tlsSession?.sni },
  };
}

const noBody = new Uint8Array();

function peerOf({ address, port, principal }: CheckPeer) {
  return { address, port, principal };
}

/** Rules of all providers together stand in byte order of their keys; the first is reported. */
function lowestKey(matches: readonly CustomMatch[]): RuleRef {
  const keyed = matches.map(({ rule }) => ({ rule, bytes: Buffer.from(rule.key) }));
  const [lowest] = keyed.sort((a, b) => Buffer.compare(a.bytes, b.bytes));
  const { rule } = lowest as { rule: RuleRef };
  return { ...rule, key: `${rule.key}${UNRESOLVED_SUFFIX}` };
}
