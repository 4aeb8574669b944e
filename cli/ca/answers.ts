import { CodedError } from "#platform/coded-error";

type Member = "text" | "number" | "flag" | "list" | "object" | "text?";

/**
 * An answer of which these members were found to be there and of their types; the rest of `T` is believed, for it comes from a service of this version. Fails with
 * `service/answer`.
 */
export function shaped<T extends object>(
  answer: unknown,
  { name }: { readonly name: string },
  members: Readonly<Record<string, Member>>,
): T {
  if (typeof answer !== "object" || answer === null || Array.isArray(answer)) throw odd(name, "no object");
  for (const [member, kind] of Object.entries(members)) {
    const value = (answer as Readonly<Record<string, unknown>>)[member];
    if (!fits(value, kind)) throw odd(name, `no ${kind} \`${member}\``);
  }
  return answer as T;
}

/** The list at a member of an answer, each item `shaped`. */
export function shapedList<T extends object>(
  answer: unknown,
  client: { readonly name: string },
  member: string,
  members: Readonly<Record<string, Member>>,
): readonly T[] {
  const { [member]: items } = shaped<Readonly<Record<string, readonly unknown[]>>>(answer, client, {
    [member]: "list",
  });
  return (items ?? []).map((item) => shaped<T>(item, client, members));
}

function fits(value: unknown, kind: Member): boolean {
  switch (kind) {
    case "text":
      return typeof value === "string";
    case "text?":
      return value === undefined || typeof value === "string";
    case "number":
      return typeof value === "number";
    case "flag":
      return typeof value === "boolean";
    case "list":
      return Array.isArray(value);
    case "object":
      return typeof value === "object" && value !== null && !Array.isArray(value);
  }
}

function odd(name: string, lacks: string): CodedError {
  return new CodedError(
    "service/answer",
    `\`${name}\` answered with ${lacks}, not as an authority of this version does`,
  );
}
