import type { ProviderEndpoint } from "#policy-compiler/ruleset/providers/resolve";

/** An address that is dialled, for logs and status: `host:port`, `unix:/path`. */
export function endpointText(endpoint: ProviderEndpoint): string {
  if (endpoint.kind === "unix") return `unix:${endpoint.path}`;
  const { host, port } = endpoint;
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}
