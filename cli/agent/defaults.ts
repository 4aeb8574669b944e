/** What an agent does that is not told. */
export const agentDefaults = {
  keyKind: "P-256",
  /** Whoever can open it has the identity: a group at most. */
  socketMode: "0660",
  /** As Istio's agent names them. */
  fileNames: { key: "key.pem", chain: "cert-chain.pem", bundle: "root-cert.pem" },
  keyMode: "0600",
  mode: "0644",
  reloadTimeoutSeconds: 30,
  configFile: "agent.yaml",
  statusSocket: "/run/garita-agent/status.sock",
} as const;
