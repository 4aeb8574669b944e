/**
 * What functions of our own throw inside the library when they have no value. One object per code, made once: nothing of a request
 * is in it, and no stack is captured while requests are decided.
 */
export class EvaluationFault extends Error {
  readonly code: string;

  constructor(code: string) {
    super(code);
    this.code = code;
  }
}

export const faults = {
  notAnAddress: new EvaluationFault("not_an_address"),
  notAnInteger: new EvaluationFault("int_conversion_error"),
  notADouble: new EvaluationFault("double_conversion_error"),
  notATimestamp: new EvaluationFault("invalid_timestamp"),
  notADuration: new EvaluationFault("invalid_duration"),
  overflow: new EvaluationFault("numeric_overflow"),
  noKey: new EvaluationFault("no_such_overload"),
  outOfRange: new EvaluationFault("index_out_of_range"),
  tooLong: new EvaluationFault("text_too_long"),
  tooManyParts: new EvaluationFault("too_many_parts"),
  notText: new EvaluationFault("no_such_overload"),
} as const;
