import { quote } from "#identity/encoding/quote";
import type { AuthorizationPolicy } from "#policy-compiler/document/model";
import {
  type ProviderResolution,
  providerNameFault,
  UNRESOLVED_SUFFIX,
} from "#policy-compiler/ruleset/providers/resolve";
import type { Located } from "#policy-compiler/source/diagnostic";
import type { AnyRow, Known } from "./rule.ts";

const denied = `so that requests that match are denied, by rules whose keys end in \`${UNRESOLVED_SUFFIX}\``;

/** What becomes of the provider that a CUSTOM policy names. At most one row says something of one policy, but for a note. */
export const providerRows: readonly AnyRow[] = [
  {
    code: "lint/provider-unknown",
    about: "policy",
    *find(policy, { extensionProviders }) {
      const provider = namedBy(policy);
      if (provider === undefined) return;
      const named = extensionProviders.filter(({ name }) => name.value === provider.value);
      if (named.some(({ kind }) => kind !== "other")) return;
      const what = named.length > 0 ? "one of another kind" : "none of that name";
      yield {
        span: provider.span,
        message: `expected ${quote(provider.value)} to be an ext_authz provider of the mesh, found ${what}, ${denied}`,
        help: "define it under `extensionProviders` in the mesh configuration",
      };
    },
  },
  {
    code: "lint/provider-name",
    about: "policy",
    *find(policy) {
      const provider = namedBy(policy);
      if (provider === undefined) return;
      const fault = providerNameFault(provider.value);
      if (fault === undefined) return;
      yield {
        span: provider.span,
        message: `${fault}, ${denied}`,
        help: "rename the provider in the mesh configuration and here",
      };
    },
  },
  {
    code: "lint/provider-unresolved",
    about: "policy",
    *find(policy, _mesh, known) {
      const found = resolutionOf(policy, known);
      if (found === undefined || found.resolution.ok || found.resolution.refusedBy === "envoy") return;
      const { why, refusedBy } = found.resolution;
      yield {
        span: found.provider.span,
        message: `${why}, ${refusedBy === "istio" ? denied : "which Istio takes and this version does not, and requests that match are denied"}`,
        help: `the provider ${quote(found.provider.value)} stands under \`extensionProviders\` in the mesh configuration`,
      };
    },
  },
  {
    code: "policy/provider-refused-by-envoy",
    about: "policy",
    *find(policy, _mesh, known) {
      const found = resolutionOf(policy, known);
      if (found === undefined || found.resolution.ok || found.resolution.refusedBy !== "envoy") return;
      yield {
        span: found.provider.span,
        message: `${found.resolution.why}, for which Envoy refuses the listener`,
        help: `mend the provider ${quote(found.provider.value)} under \`extensionProviders\` in the mesh configuration`,
      };
    },
  },
  {
    code: "lint/provider-unreachable",
    about: "policy",
    *find(policy, _mesh, known) {
      const found = resolutionOf(policy, known);
      if (found === undefined || !found.resolution.ok) return;
      const { target, options } = found.resolution;
      if (target.fault === undefined) return;
      const outcome = options.failOpen ? "pass unasked (`failOpen`)" : `are answered ${options.statusOnError}`;
      yield {
        span: found.provider.span,
        message: `expected an address at which ${quote(found.provider.value)} can be asked, found that ${target.fault}, so that requests that match ${outcome}`,
        help: "give its ServiceEntry the port, and `resolution: DNS`, or `STATIC` with endpoints",
      };
    },
  },
  {
    code: "lint/provider-wants-body",
    about: "policy",
    *find(policy, _mesh, known) {
      const found = resolutionOf(policy, known);
      if (found === undefined || !found.resolution.ok || found.resolution.options.body === undefined) return;
      const { maxBytes } = found.resolution.options.body;
      yield {
        span: found.provider.span,
        message: `expected an Envoy that sends bodies for ${quote(found.provider.value)}, which wants to see them, so that it has to be told so`,
        help: `write \`with_request_body: {max_request_bytes: ${maxBytes + 1}, allow_partial_message: true, pack_as_bytes: true}\` in its filter, and the metadata \`x-garita-body: "${maxBytes + 1}"\``,
      };
    },
  },
];

function namedBy({ action, provider }: AuthorizationPolicy): Located<string> | undefined {
  return action.value === "CUSTOM" && provider !== undefined && provider.value !== "" ? provider : undefined;
}

/** Undefined: nothing is named, or what is named has been told by the first two rows. */
function resolutionOf(
  policy: AuthorizationPolicy,
  { providers }: Known,
): { readonly provider: Located<string>; readonly resolution: ProviderResolution } | undefined {
  const provider = namedBy(policy);
  if (provider === undefined || providerNameFault(provider.value) !== undefined) return undefined;
  const resolution = providers.get(provider.value);
  if (resolution === undefined || (!resolution.ok && resolution.kind === "other")) return undefined;
  return { provider, resolution };
}
