/** So many names have a time series of their own; those beyond are `other`. Policies come and go, and a counter stays. */
const maxNames = 200;

/** The label of a name: the name itself, for the first of them. */
export function createBoundedNames(): (name: string) => string {
  const names = new Set<string>();
  return (name) => {
    if (names.size < maxNames) names.add(name);
    return names.has(name) ? name : "other";
  };
}
