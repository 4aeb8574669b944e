/** What a value of `serviceAccounts` names. `namespace` is the policy's own when the value does not say one. */
export interface ServiceAccountName {
  readonly namespace: string;
  readonly name: string;
}

/** Why Istio's validation refuses a value of `serviceAccounts` or `source.serviceAccount`. */
export type ServiceAccountFault = "empty" | "star" | "slashes" | "empty-namespace" | "empty-name" | "length";

/** Longest value of `serviceAccounts`, in bytes of UTF-8. */
export const serviceAccountMaxBytes = 320;

/** Most values in one `serviceAccounts` list. */
export const serviceAccountMaxValues = 16;

/** The first fault of a value, or undefined when Istio takes it: `sa` or `ns/sa`, no star, neither half empty. */
export function serviceAccountFault(text: string): ServiceAccountFault | undefined {
  if (text === "") return "empty";
  if (text.includes("*")) return "star";
  const slash = text.indexOf("/");
  if (slash !== text.lastIndexOf("/")) return "slashes";
  if (slash === 0) return "empty-namespace";
  if (slash === text.length - 1) return "empty-name";
  return new TextEncoder().encode(text).length > serviceAccountMaxBytes ? "length" : undefined;
}

/** Cuts a value at its first slash. Total: what validation would refuse is cut as Istio's compiler cuts it. */
export function splitServiceAccount(text: string, policyNamespace: string): ServiceAccountName {
  const slash = text.indexOf("/");
  if (slash === -1) return { namespace: policyNamespace, name: text };
  return { namespace: text.slice(0, slash), name: text.slice(slash + 1) };
}
