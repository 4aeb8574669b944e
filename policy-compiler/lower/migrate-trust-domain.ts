/** The trust domain that principals without a known one are read in, whatever the mesh's own is called (Istio). */
const defaultTrustDomain = "cluster.local";

/** What a value becomes. `foreign`: it names a trust domain that the mesh does not know, which Istio warns of. */
export interface Migration {
  readonly values: readonly string[];
  readonly foreign: string | undefined;
}

/**
 * One value of `principals` in every trust domain of the mesh. `trustDomains` is the mesh's own, then its aliases. A value of
 * five parts whose first part is, or by a star at either end fits, one of them is written once per trust domain; so is one of
 * `cluster.local`, which points to the mesh's own. Every other value stays as it is. (Istio: ReplaceTrustDomainAliases.)
 */
export function migratePrincipal(principal: string, trustDomains: readonly string[]): Migration {
  const parts = principal.split("/");
  const trustDomain = parts[0] ?? "";
  if (parts.length !== 5 || trustDomain === "*") return { values: [principal], foreign: undefined };
  const known = trustDomain === defaultTrustDomain || trustDomains.some((each) => fits(trustDomain, each));
  if (!known) return { values: [principal], foreign: trustDomain };
  const rest = principal.slice(trustDomain.length);
  const migrated = trustDomains.map((each) => (endsLike(each, trustDomain) ? principal : each + rest));
  return { values: [...new Set(migrated)], foreign: undefined };
}

/**
 * Values of `trustDomains`: one that is exactly a trust domain of the mesh becomes all of them. `cluster.local` is nothing
 * special here. (Istio: ExpandTrustDomainAliases.)
 */
export function expandTrustDomain(value: string, trustDomains: readonly string[]): readonly string[] {
  return trustDomains.includes(value) ? [...new Set(trustDomains)] : [value];
}

function fits(one: string, other: string): boolean {
  return (
    one === other ||
    other === "*" ||
    beginsLike(one, other) ||
    beginsLike(other, one) ||
    endsLike(one, other) ||
    endsLike(other, one)
  );
}

function beginsLike(text: string, pattern: string): boolean {
  return pattern.endsWith("*") && text.startsWith(pattern.slice(0, -1));
}

function endsLike(text: string, pattern: string): boolean {
  return pattern.startsWith("*") && text.endsWith(pattern.slice(1));
}
