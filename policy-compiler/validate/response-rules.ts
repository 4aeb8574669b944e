import { quote } from "#identity/encoding/quote";
import type { ResponseFieldDocument } from "#policy-compiler/document/model";
import {
  type HeaderNameFault,
  headerNameFault,
  isDenialStatus,
  isWholeHeaderValue,
  ownMetadataKeys,
  redirectStatusCodes,
  responseLimits,
} from "#policy-compiler/ruleset/response-limits";
import type { Located } from "#policy-compiler/source/diagnostic";
import { found } from "./quote.ts";
import type { AnyRow, Fault, ResponseFieldsSubject } from "./rule.ts";

const nameReason: Readonly<Record<HeaderNameFault, string>> = {
  pseudo: "a header that is no part of the request line",
  characters: "the name of a header, of letters, digits and a few marks",
  refused: "a header that a policy may set",
  body: "a header that does not speak of the body, which an allowed request keeps",
};

/** Rows about what a rule answers. */
export const responseRows: readonly AnyRow[] = [
  {
    code: "response/status",
    about: "extension",
    *find({ extension: { denyResponse } }) {
      const status = denyResponse?.status;
      if (status === undefined || isDenialStatus(status.value)) return;
      yield {
        span: status.span,
        message: `expected a status of refusal that Envoy knows, 400 to 511, or a redirect, found \`${status.value}\``,
        help: "for example 401, 403, 404 or 429; 302 with a `location` sends a browser elsewhere",
      };
    },
  },
  {
    code: "response/redirect",
    about: "extension",
    *find({ extension: { denyResponse } }) {
      const status = denyResponse?.status;
      if (denyResponse === undefined || status === undefined || !redirectStatusCodes.has(status.value)) return;
      if (denyResponse.headers.some(({ name }) => name.value.toLowerCase() === "location")) return;
      yield {
        span: status.span,
        message: `expected a header \`location\` beside the redirect \`${status.value}\`, found none`,
        help: "add `location` to `headers`",
      };
    },
  },
  {
    code: "response/header-name",
    about: "responseFields",
    *find({ place, fields }) {
      if (place === "metadata") return;
      for (const { name } of fields) {
        const fault = headerNameFault(name.value, place);
        if (fault === undefined) continue;
        yield { span: name.span, message: `expected ${nameReason[fault]}, ${found(name.value)}` };
      }
    },
  },
  {
    code: "response/header-twice",
    about: "responseFields",
    *find({ place, fields }) {
      if (place === "metadata") return;
      const seen = new Map<string, string>();
      for (const { name } of fields) {
        const lower = name.value.toLowerCase();
        const first = seen.get(lower);
        if (first === undefined) seen.set(lower, name.value);
        else {
          yield {
            span: name.span,
            message: `expected each header once, case aside, found ${quote(name.value)} beside ${quote(first)}`,
          };
        }
      }
    },
  },
  {
    code: "response/header-value",
    about: "responseFields",
    *find({ place, fields }) {
      if (place === "metadata") return;
      for (const { name, text } of textsOf(fields)) {
        if (isWholeHeaderValue(text.value)) continue;
        yield {
          span: text.span,
          message: `expected a value of one line without blanks at its ends for the header ${quote(name)}, ${found(text.value)}`,
        };
      }
    },
  },
  {
    code: "response/metadata-key",
    about: "responseFields",
    *find({ place, fields }) {
      if (place !== "metadata") return;
      for (const { name } of fields) {
        if (ownMetadataKeys.includes(name.value)) {
          yield {
            span: name.span,
            message: `expected a key that is not one of every decision's own, found ${quote(name.value)}`,
            help: `taken are ${ownMetadataKeys.map((key) => `\`${key}\``).join(", ")}`,
          };
        } else if (name.value === "" || /\p{Cc}/u.test(name.value)) {
          yield { span: name.span, message: `expected a key of visible characters, ${found(name.value)}` };
        }
      }
    },
  },
  {
    code: "response/too-large",
    about: "responseFields",
    *find({ list, fields }) {
      const surplus = fields[responseLimits.fields];
      if (surplus !== undefined) {
        yield {
          span: surplus.name.span,
          message: `expected at most ${responseLimits.fields} items in \`${list}\`, found ${fields.length}`,
        };
      }
      for (const { name } of fields) yield* longer(name, responseLimits.nameBytes, `a name in \`${list}\``);
      for (const { text } of textsOf(fields)) yield* longer(text, responseLimits.valueBytes, `a value in \`${list}\``);
    },
  },
  {
    code: "response/too-large",
    about: "extension",
    *find({ extension: { denyResponse } }) {
      const body = denyResponse?.body;
      if (body?.kind === "text") yield* longer(body.text, responseLimits.bodyBytes, "a `body`");
    },
  },
];

function* textsOf(
  fields: ResponseFieldsSubject["fields"],
): Iterable<{ readonly name: string; readonly text: Located<string> }> {
  for (const { name, value } of fields as readonly ResponseFieldDocument[]) {
    if (value.kind === "text") yield { name: name.value, text: value.text };
  }
}

function* longer({ value, span }: Located<string>, most: number, what: string): Iterable<Fault> {
  const bytes = new TextEncoder().encode(value).length;
  if (bytes > most) yield { span, message: `expected ${what} of at most ${most} bytes, found ${bytes}` };
}
