import type { Located } from "#policy-compiler/source/diagnostic";
import type { AnyRow, Fault } from "./rule.ts";

/**
 * Limits of the Kubernetes API's schemas that Istio's own validation does not have: warnings, because Istio outside Kubernetes
 * takes such documents, and whoever moves them into a cluster will find them refused. Istio: CRDs of security.istio.io.
 */
export const crdRows: readonly AnyRow[] = [
  {
    code: "crd/rules-too-many",
    about: "policy",
    find: ({ rules }) => surplus(rules, 512, "rules"),
  },
  {
    code: "crd/sources-too-many",
    about: "rule",
    find: ({ rule }) => surplus(rule.from, 512, "items in `from`"),
  },
  {
    code: "crd/labels-too-many",
    about: "placement",
    find: ({ selector }) =>
      surplus(
        (selector?.matchLabels ?? []).map(({ key }) => key),
        4096,
        "labels in a selector",
      ),
  },
  {
    code: "crd/label-value-long",
    about: "placement",
    *find({ selector }) {
      for (const { value } of selector?.matchLabels ?? []) yield* longer(value, 63, "a label value");
    },
  },
  {
    code: "crd/targets-too-many",
    about: "placement",
    find: ({ targetRefs }) => surplus(targetRefs, 16, "target references"),
  },
  {
    code: "crd/target-name-long",
    about: "placement",
    *find({ targetRef, targetRefs }) {
      for (const target of targetRef === undefined ? targetRefs : [targetRef, ...targetRefs]) {
        if (target.name !== undefined) yield* longer(target.name, 253, "a target name");
      }
    },
  },
  {
    code: "crd/jwt-rules-too-many",
    about: "requestAuthentication",
    find: ({ jwtRules }) => surplus(jwtRules, 4096, "JWT rules"),
  },
  {
    code: "crd/issuer-empty",
    about: "jwtRule",
    *find({ issuer, jwksUri }) {
      // Without a jwksUri it is an error of its own.
      if (issuer?.value !== "" || (jwksUri?.value ?? "") === "") return;
      yield {
        span: issuer.span,
        message: "expected an issuer that is not empty, found empty text",
        help: "leave out `issuer` to take tokens of any issuer",
      };
    },
  },
  {
    code: "crd/jwks-twice",
    about: "jwtRule",
    *find({ jwks, jwksUri }) {
      if (jwks === undefined || jwksUri === undefined) return;
      yield {
        span: jwksUri.span,
        message: "expected one of `jwks` and `jwksUri`, found both",
        help: "remove one of them; the inline keys are those that count",
      };
    },
  },
  {
    code: "crd/jwks-uri-length",
    about: "jwtRule",
    *find({ issuer, jwksUri }) {
      if (jwksUri === undefined) return;
      yield* longer(jwksUri, 2048, "a `jwksUri`");
      if (jwksUri.value === "" && (issuer?.value ?? "") !== "") {
        yield {
          span: jwksUri.span,
          message: "expected a `jwksUri` that is not empty, found empty text",
          help: "remove it",
        };
      }
    },
  },
  {
    code: "crd/space-delimited-claims-too-many",
    about: "jwtRule",
    find: ({ spaceDelimitedClaims }) => surplus(spaceDelimitedClaims, 64, "`spaceDelimitedClaims`"),
  },
  {
    code: "crd/space-delimited-claim-empty",
    about: "jwtRule",
    *find({ spaceDelimitedClaims }) {
      for (const { value, span } of spaceDelimitedClaims) {
        if (value === "") yield { span, message: "expected a claim name in `spaceDelimitedClaims`, found empty text" };
      }
    },
  },
];

/** One fault, at the first item beyond the limit. */
function* surplus(items: readonly { readonly span: Fault["span"] }[], most: number, what: string): Iterable<Fault> {
  const first = items[most];
  if (first !== undefined)
    yield { span: first.span, message: `expected at most ${most} ${what}, found ${items.length}` };
}

/** Kubernetes counts characters (code points), not bytes. */
function* longer({ value, span }: Located<string>, most: number, what: string): Iterable<Fault> {
  const length = [...value].length;
  if (length > most) yield { span, message: `expected ${what} of at most ${most} characters, found ${length}` };
}
