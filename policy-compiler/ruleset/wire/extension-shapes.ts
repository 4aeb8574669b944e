import type {
  AllowResponse,
  DenyResponse,
  Expression,
  Origin,
  ResponseFields,
  ResponseValue,
  RuleExtension,
} from "#policy-compiler/ruleset/model";
import { byteString, checked, list, optional, pair, record, type Shape, text, uint, union } from "./shape.ts";

export const originShape: Shape<Origin> = {
  write(out, { file, line, column }) {
    text.write(out, file);
    uint.write(out, line);
    uint.write(out, column);
  },
  read: (input) => ({ file: text.read(input), line: uint.read(input), column: uint.read(input) }),
};

const expression: Shape<Expression> = record<Expression>({ text, origin: originShape });

const value: Shape<ResponseValue> = union<ResponseValue, "kind">("kind", {
  text: record({ text: byteString }),
  cel: record({ expression }),
});

const fields: Shape<ResponseFields> = list(pair(text, value));
const headers = checked(fields, headersFault);
const status = checked(uint, (code) => (code < 300 || code > 599 ? "a status is out of range" : undefined));

const denyResponse = record<DenyResponse>({ status: optional(status), headers, body: optional(value) });

const allowResponse = record<AllowResponse>({
  requestHeaders: headers,
  responseHeaders: headers,
  dynamicMetadata: fields,
});

/** What a rule of our own group says beyond Istio's. One that says nothing is written as absent. */
export const extensionShape: Shape<RuleExtension> = checked(
  record<RuleExtension>({
    conditions: list(expression),
    denyResponse: optional(denyResponse),
    allowResponse: optional(allowResponse),
  }),
  extensionFault,
);

function headersFault(all: ResponseFields): string | undefined {
  return all.some(([name]) => name === "" || name !== name.toLowerCase()) ? "a header has no name of one" : undefined;
}

function extensionFault({ conditions, denyResponse, allowResponse }: RuleExtension): string | undefined {
  if (conditions.length > 0 || denyResponse !== undefined || allowResponse !== undefined) return undefined;
  return "an extension says nothing";
}
