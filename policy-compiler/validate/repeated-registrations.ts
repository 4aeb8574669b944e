import type { RegistrationCallerDocument, WorkloadRegistrationDocument } from "#policy-compiler/document/model";

/**
 * Of each registration that gives the same identity to the same callers as an earlier one, in whatever order: that one. By `namespace/name`, as registrations
 * count; what they say of certificates may differ, and only the first is heard.
 */
export function repeatedRegistrations(
  registrations: readonly WorkloadRegistrationDocument[],
): ReadonlyMap<WorkloadRegistrationDocument, WorkloadRegistrationDocument> {
  const first = new Map<string, WorkloadRegistrationDocument>();
  const repeated = new Map<WorkloadRegistrationDocument, WorkloadRegistrationDocument>();
  for (const registration of registrations.toSorted((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1))) {
    const { spiffeId, callers } = registration;
    if (spiffeId === undefined || callers.length === 0) continue;
    const key = JSON.stringify([spiffeId.value, sortedTexts(callers.map(textOf))]);
    const earlier = first.get(key);
    if (earlier === undefined) first.set(key, registration);
    else repeated.set(registration, earlier);
  }
  return repeated;
}

function nameOf({ head }: WorkloadRegistrationDocument): string {
  return `${head.namespace.value}/${head.name.value}`;
}

function textOf({ spiffeId, jwt, joinToken }: RegistrationCallerDocument): string {
  const claims = (jwt?.claims?.items ?? []).map(({ path, values }) =>
    JSON.stringify([path.value, sortedTexts(values.map(({ value }) => value))]),
  );
  return JSON.stringify([spiffeId?.value, jwt && [jwt.issuer?.value, sortedTexts(claims)], joinToken !== undefined]);
}

/** Each once: a caller that stands there twice is one. */
function sortedTexts(texts: readonly string[]): readonly string[] {
  return [...new Set(texts)].sort();
}
