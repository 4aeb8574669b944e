import { quote } from "#identity/encoding/quote";
import { readKeySet as readAsEnvoy } from "#identity/key-set/read-key-set";
import { DURATION_HELP, parseDuration } from "#policy-compiler/ruleset/duration";
import { isToken } from "#policy-compiler/ruleset/header-text";
import type { Located } from "#policy-compiler/source/diagnostic";
import { parseHttpUri } from "./jwks-uri.ts";
import { readKeySet } from "./key-set/read.ts";
import { found } from "./quote.ts";
import type { AnyRow } from "./rule.ts";

/** Rows about RequestAuthentication. Istio: RequestAuthentication, JWTRule. */
export const jwtRows: readonly AnyRow[] = [
  {
    code: "jwt/issuer-missing",
    about: "jwtRule",
    *find({ span, issuer, jwksUri }) {
      if ((issuer?.value ?? "") !== "" || (jwksUri?.value ?? "") !== "") return;
      yield { span: issuer?.span ?? span, message: "expected `issuer` or `jwksUri` in a JWT rule, found neither" };
    },
  },
  {
    code: "jwt/audience-empty",
    about: "jwtRule",
    *find({ audiences }) {
      for (const { value, span } of audiences) {
        if (value === "") yield { span, message: "expected an audience, found empty text" };
      }
    },
  },
  {
    code: "jwt/jwks-uri",
    about: "jwtRule",
    *find({ jwksUri }) {
      if (jwksUri === undefined || jwksUri.value === "") return;
      const parsed = parseHttpUri(jwksUri.value);
      if (parsed.ok) return;
      yield { span: jwksUri.span, message: `expected ${parsed.expected} in \`jwksUri\`, ${found(jwksUri.value)}` };
    },
  },
  {
    code: "jwt/jwks-syntax",
    about: "jwtRule",
    *find({ jwks }) {
      if (jwks === undefined || jwks.value === "") return;
      const read = readKeySet(jwks.value);
      if (!read.ok) yield { span: jwks.span, message: `expected a JSON Web Key Set in \`jwks\`, found ${read.fault}` };
    },
  },
  {
    code: "jwt/private-key",
    about: "jwtRule",
    *find({ jwks }) {
      if (jwks === undefined || jwks.value === "") return;
      const read = readKeySet(jwks.value);
      if (!read.ok) return;
      for (const [i, key] of read.keys.entries()) {
        if (!key.secret) continue;
        const what = key.kty === "oct" ? "a symmetric key, with which whoever reads it can sign" : "a private key";
        yield { span: jwks.span, message: `expected public keys in \`jwks\`, found ${what}, at index ${i}` };
      }
    },
  },
  {
    code: "jwt/no-usable-key",
    about: "jwtRule",
    *find({ jwks }) {
      if (jwks === undefined || jwks.value === "" || !readKeySet(jwks.value).ok) return;
      const usable = readAsEnvoy(jwks.value);
      if (usable.ok) return;
      yield {
        span: jwks.span,
        message: `expected a key that Envoy can use in \`jwks\`, found ${usable.fault}`,
        help:
          usable.help ??
          "Envoy would refuse the listener; use RSA, EC (P-256, P-384, P-521), Ed25519 or symmetric keys",
      };
    },
  },
  {
    code: "lint/issuer-not-discoverable",
    about: "jwtRule",
    *find({ issuer, jwks, jwksUri }) {
      if (issuer === undefined || issuer.value === "" || (jwks?.value ?? "") !== "" || (jwksUri?.value ?? "") !== "")
        return;
      // As whoever fetches reads an address.
      if (/^https?:\/\/[^/\\\s]/i.test(issuer.value) && !/[\\\s\p{Cc}]/u.test(issuer.value)) return;
      yield {
        span: issuer.span,
        message: `expected \`jwksUri\`, \`jwks\`, or an issuer at whose \`http://\` or \`https://\` address its keys can be discovered, ${found(issuer.value)}, so that its tokens are refused`,
        help: "add `jwksUri`",
      };
    },
  },
  {
    code: "jwt/location-empty",
    about: "jwtRule",
    *find({ fromHeaders, fromParams, fromCookies }) {
      for (const { name, span } of fromHeaders) {
        if ((name?.value ?? "") === "")
          yield { span: name?.span ?? span, message: "expected a header name in `fromHeaders`, found none" };
      }
      yield* empties(fromParams, "expected a parameter in `fromParams`, found empty text");
      yield* empties(fromCookies, "expected a cookie in `fromCookies`, found empty text");
    },
  },
  {
    code: "jwt/claim-header-empty",
    about: "jwtRule",
    *find({ outputClaimToHeaders }) {
      for (const { header, claim, span } of outputClaimToHeaders) {
        const absent = (header?.value ?? "") === "" ? "header" : (claim?.value ?? "") === "" ? "claim" : undefined;
        if (absent === undefined) continue;
        const place = absent === "header" ? header?.span : claim?.span;
        yield {
          span: place ?? span,
          message: `expected a ${absent} in an item of \`outputClaimToHeaders\`, found none`,
        };
      }
    },
  },
  {
    code: "jwt/claim-header-name",
    about: "jwtRule",
    *find({ outputClaimToHeaders }) {
      for (const { header, claim } of outputClaimToHeaders) {
        if (header === undefined || header.value === "" || (claim?.value ?? "") === "") continue;
        if (/^[-_A-Za-z0-9]+$/.test(header.value)) continue;
        yield {
          span: header.span,
          message: `expected a header name of letters, digits, \`-\` and \`_\`, found ${quote(header.value)}`,
        };
      }
    },
  },
  {
    code: "jwt/output-header",
    about: "jwtRule",
    *find({ outputPayloadToHeader: payload, outputClaimToHeaders }) {
      if (payload !== undefined && payload.value !== "" && !isToken(payload.value)) {
        yield { span: payload.span, message: `expected a header name, ${found(payload.value)}` };
      }
      for (const header of [payload, ...outputClaimToHeaders.map((output) => output.header)]) {
        if (header?.value.toLowerCase() !== "host") continue;
        yield {
          span: header.span,
          message: "expected a header that a request can be without, found `host`",
          help: "what clients send in it is removed, and a request without host is answered with 400; choose another name",
        };
      }
    },
  },
  {
    code: "jwt/timeout",
    about: "jwtRule",
    *find({ timeout }) {
      if (timeout === undefined) return;
      const parsed = parseDuration(timeout.value);
      if (parsed.ok && parsed.exact && parsed.millis >= 1) return;
      yield {
        span: timeout.span,
        message: `expected a duration of whole milliseconds, one or more, ${found(timeout.value)}`,
        help: DURATION_HELP,
      };
    },
  },
];

/** Rows about PeerAuthentication. Istio: PeerAuthentication. */
export const peerRows: readonly AnyRow[] = [
  {
    code: "peer/ports-without-labels",
    about: "peerAuthentication",
    *find({ selector, portLevelMtls }) {
      if (portLevelMtls === undefined || portLevelMtls.ports.length === 0) return;
      if (selector !== undefined && selector.matchLabels.length > 0) return;
      yield {
        span: portLevelMtls.span,
        message: "expected a selector with labels beside `portLevelMtls`, found none",
        help: "modes of ports can be set for workloads, not for a namespace or the mesh",
      };
    },
  },
  {
    code: "peer/ports-empty",
    about: "peerAuthentication",
    *find({ portLevelMtls }) {
      if (portLevelMtls === undefined || portLevelMtls.ports.length > 0) return;
      yield {
        span: portLevelMtls.span,
        message: "expected a port in `portLevelMtls`, found none",
        help: "remove the field",
      };
    },
  },
  {
    code: "peer/port-range",
    about: "peerAuthentication",
    *find({ portLevelMtls }) {
      for (const { port } of portLevelMtls?.ports ?? []) {
        if (/^[1-9][0-9]{0,4}$/.test(port.value) && Number(port.value) <= 65535) continue;
        yield { span: port.span, message: `expected a port from 1 to 65535, ${found(port.value)}` };
      }
    },
  },
];

function* empties(values: readonly Located<string>[], message: string) {
  for (const { value, span } of values) if (value === "") yield { span, message };
}
