/**
 * The path of a claim as Istio writes it: a name by itself, or names in brackets, each inside the one before (`[kubernetes.io][namespace]`). A
 * name by itself is one claim, dots and slashes included. Undefined for an empty name, and for brackets that are not all of the text. Total.
 */
export function parseClaimPath(text: string): readonly string[] | undefined {
  if (!text.includes("[") && !text.includes("]")) return text === "" ? undefined : [text];
  return /^(?:\[[^[\]]+\])+$/.test(text) ? text.slice(1, -1).split("][") : undefined;
}
