import { quote } from "#identity/encoding/quote";
import { parseSpiffeId } from "#identity/spiffe-id";
import type { WorkloadRegistrationDocument } from "#policy-compiler/document/model";
import { parseClaimPath } from "#policy-compiler/document/values/claim-path";
import { parseSpiffeIdTemplate } from "#policy-compiler/document/values/spiffe-id-template";
import { registrationLimits } from "#policy-compiler/ruleset/registration-limits";
import { claimPathFault, spiffeIdFault, surplus } from "./registration-rules.ts";
import type { AnyRow } from "./rule.ts";

/** Rows about one item of a WorkloadRegistration's `callers`. */
export const registrationCallerRows: readonly AnyRow[] = [
  {
    code: "registration/caller-kind",
    about: "registrationCaller",
    *find({ caller: { span, ...ways } }) {
      const written = (["spiffeId", "jwt", "joinToken"] as const).filter((way) => ways[way] !== undefined);
      if (written.length === 1) return;
      yield {
        span,
        message: `expected one of \`spiffeId\`, \`jwt\` and \`joinToken\` in an item of \`callers\`, found ${written.length === 0 ? "none" : written.map(quote).join(" and ")}`,
        help: written.length === 0 ? "tokens of `garita ca token new` are `joinToken: {}`" : "make an item of each",
      };
    },
  },
  {
    code: "registration/spiffe-id",
    about: "registrationCaller",
    *find({ caller: { spiffeId } }) {
      if (spiffeId === undefined) return;
      const parsed = parseSpiffeId(spiffeId.value);
      if (!parsed.ok) yield spiffeIdFault(spiffeId, parsed.fault);
      else if (parsed.id.path === "") yield spiffeIdFault(spiffeId, "no-path");
    },
  },
  {
    code: "registration/foreign-caller",
    about: "registrationCaller",
    *find({ caller: { spiffeId } }, { trustDomain }) {
      const parsed = parseSpiffeId(spiffeId?.value ?? "");
      if (spiffeId === undefined || !parsed.ok || parsed.id.trustDomain === trustDomain) return;
      yield {
        span: spiffeId.span,
        message: `expected a caller of the mesh's trust domain ${quote(trustDomain)}, found one of ${quote(parsed.id.trustDomain)}`,
        help: "the authority knows no roots of others, so that no such caller is let in",
      };
    },
  },
  {
    code: "registration/template-caller",
    about: "registrationCaller",
    *find({ registration, caller: { spiffeId, joinToken } }) {
      const other = spiffeId ?? joinToken;
      if (other === undefined || !takesClaims(registration)) return;
      yield {
        span: other.span,
        message: `expected \`jwt\` callers only where \`spiffeId\` takes claims, found ${quote(spiffeId === undefined ? "joinToken" : "spiffeId")}`,
        help: "write another registration for the one identity that is meant",
      };
    },
  },
  {
    code: "registration/issuer",
    about: "registrationCaller",
    *find({ caller: { jwt } }) {
      if (jwt === undefined || (jwt.issuer?.value ?? "") !== "") return;
      yield {
        span: jwt.issuer?.span ?? jwt.span,
        message: "expected `issuer` in `jwt`, found none",
        help: "the `iss` of the tokens, as it stands in them",
      };
    },
  },
  {
    code: "registration/empty-field",
    about: "registrationCaller",
    *find({ caller: { jwt } }) {
      if (jwt?.claims === undefined || jwt.claims.items.length > 0) return;
      yield {
        span: jwt.claims.span,
        message: "expected a claim in `claims`, found none",
        help: "leave it out to take every token of the issuer",
      };
    },
  },
  {
    code: "registration/claim-path",
    about: "registrationCaller",
    *find({ caller: { jwt } }) {
      for (const { path } of jwt?.claims?.items ?? []) {
        if (parseClaimPath(path.value) === undefined) yield claimPathFault(path);
      }
    },
  },
  {
    code: "registration/claim-value",
    about: "registrationCaller",
    *find({ caller: { jwt } }) {
      for (const { path, values } of jwt?.claims?.items ?? []) {
        const message = `expected a text for the claim ${quote(path.value)}`;
        if (values.length === 0) yield { span: path.span, message: `${message}, found an empty list` };
        for (const { value, span } of values) if (value === "") yield { span, message: `${message}, found empty text` };
      }
    },
  },
  {
    code: "registration/too-many",
    about: "registrationCaller",
    *find({ caller: { jwt } }) {
      const claims = jwt?.claims?.items ?? [];
      const paths = claims.map(({ path }) => path);
      yield* surplus(paths, registrationLimits.claims, "claims of one caller");
      for (const { values } of claims) yield* surplus(values, registrationLimits.values, "values of one claim");
    },
  },
  {
    code: "registration/everybody",
    about: "registrationCaller",
    *find({ registration, caller: { jwt } }) {
      if (jwt === undefined || jwt.claims !== undefined || takesClaims(registration)) return;
      yield {
        span: jwt.span,
        message: "expected `claims` in `jwt`, found none, so that whoever has a token of the issuer gets this identity",
        help: "ask for a claim, such as `claims: { sub: … }`",
      };
    },
  },
];

/** Is the identity made from claims? One that is written wrongly is not taken for one that is not. */
function takesClaims({ spiffeId }: WorkloadRegistrationDocument): boolean {
  const parsed = parseSpiffeIdTemplate(spiffeId?.value ?? "");
  return !parsed.ok || parsed.parts.some(({ kind }) => kind === "claim");
}
