/** RFC 9110 §7.2: the host of a Host field without its port, lower case; an IPv6 address with its brackets. Empty: there is none. */
export function hostName(host: string | undefined): string {
  if (host === undefined) return "";
  return /^(\[[^\]]*\]|[^:]*)(?::[0-9]*)?$/.exec(host)?.[1]?.toLowerCase() ?? "";
}
