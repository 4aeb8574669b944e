import type { ConditionFault } from "#policy-compiler/conditions/contract";

/** Why a condition was unknown, or a value of an answer could not be worked out: what logs, metrics and explanations say of it. Never a value. */
export const conditionFaultCodes = {
  "condition/unknown-attribute": "it reads an attribute that the request did not bring",
  "condition/error":
    "its evaluation failed: a key that is not there, a list that is too short, a conversion, a number too large",
  "condition/too-large": "an attribute, or the value itself, is larger than conditions and answers may hold",
  "condition/no-bool": "its result is neither true nor false",
  "condition/unfit-value":
    "the value cannot stand in a header: it holds a line break, a NUL or another control character",
} as const satisfies Readonly<Record<ConditionFault["code"] | "condition/unfit-value", string>>;
/** A key of the table. */
export type ConditionFaultCode = keyof typeof conditionFaultCodes;
