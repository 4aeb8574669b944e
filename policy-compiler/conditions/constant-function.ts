import type { ASTNode, Environment } from "@marcbachmann/cel-js";

/**
 * A function or method of which one argument is a text that the author wrote: it is read once, as the expression is checked, and a bad one is
 * a fault of the expression. As a macro of the library, which gets trees for arguments.
 */
export interface ConstantFunction {
  /** Which argument is the constant. The other one, or the receiver, is the text that it is applied to; there may be none. */
  readonly constant: 0 | 1;
  readonly subject?: "receiver" | 0;
  readonly type: string;
  readonly code?: "condition/pattern" | "condition/literal";
  prepare(
    text: string,
  ): { readonly run: (subject: string) => unknown; readonly fault?: undefined } | { readonly fault: string };
}

/** What the library hands to macros, as far as we use it. */
interface MacroCall {
  readonly args: readonly ASTNode[];
  readonly receiver: ASTNode | null;
}
interface Macro extends MacroCall {
  run: ((subject: string) => unknown) | undefined;
}
interface Checker {
  check(node: ASTNode, context: unknown): { readonly kind: string; readonly type: string };
  createError(code: string, message: string, node: ASTNode): Error;
  getType(name: string): unknown;
}
interface Evaluator {
  run(node: ASTNode, context: unknown): unknown;
  createError(code: string, message: string, node: ASTNode): Error;
}

export function constantFunction(environment: Environment, signature: string, definition: ConstantFunction): void {
  const { constant, subject, type, prepare, code = "condition/literal" } = definition;
  const subjectOf = (call: MacroCall) => (subject === "receiver" ? call.receiver : subject === 0 ? call.args[0] : null);

  function typeCheck(checker: Checker, macro: Macro, context: unknown): unknown {
    const argument = macro.args[constant]!;
    if (argument.op !== "value" || typeof argument.args !== "string")
      throw checker.createError(code, "must be a text that is written here", argument);
    const prepared = prepare(argument.args);
    if (prepared.fault !== undefined) throw checker.createError(code, prepared.fault, argument);
    const tested = subjectOf(macro);
    if (tested != null) {
      const { kind, type: found } = checker.check(tested, context);
      if (kind !== "dyn" && found !== "string")
        throw checker.createError("no_such_overload", `expected a text, found \`${found}\``, tested);
    }
    macro.run = prepared.run;
    return checker.getType(type);
  }

  function evaluate(evaluator: Evaluator, macro: Macro, context: unknown): unknown {
    const tested = subjectOf(macro);
    if (tested == null) return macro.run!("");
    const value = evaluator.run(tested, context);
    if (typeof value !== "string") throw evaluator.createError("no_such_overload", "expected a text", tested);
    return macro.run!(value);
  }

  environment.registerFunction(signature, ({ args, receiver }: MacroCall) => ({
    args,
    receiver,
    run: undefined,
    typeCheck,
    evaluate,
    async: false,
  }));
}
