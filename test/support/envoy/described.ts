/** How an Envoy's configuration says which workload of the namespace `shop` it stands before: the one with this label `app`. */
export function described(app: string) {
  return { "garita.dev/namespace": "shop", "garita.dev/labels": JSON.stringify({ app }) };
}
