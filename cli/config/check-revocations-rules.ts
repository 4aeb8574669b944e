import { parseSpiffeId } from "#identity/spiffe-id";
import { parseAddress } from "#platform/address";
import type { RawConfig } from "./model.ts";
import { fault, onKey, type ShapeFault } from "./shape-fault.ts";

/** What the schema of `revocations` cannot say. */
export function checkRevocationsRules({ revocations, ca }: RawConfig): ShapeFault[] {
  if (revocations === undefined) return [];
  const { trustDomain, address } = revocations;
  const faults: ShapeFault[] = [];
  if (ca !== undefined)
    faults.push(
      onKey(
        "config/revocations",
        ["revocations"],
        "a service with `ca` follows its own deny list: leave one of both out",
      ),
    );
  const parsed = parseSpiffeId(`spiffe://${trustDomain}`);
  if (!parsed.ok || parsed.id.path !== "")
    faults.push(
      fault(
        "config/value",
        ["revocations", "trustDomain"],
        `not a trust domain: \`${trustDomain}\``,
        "lower-case letters, digits, `.`, `-` and `_`, without `spiffe://` and without a path",
      ),
    );
  const door = parseAddress(address);
  if (door?.kind !== "tcp" || door.port === 0)
    faults.push(
      fault(
        "config/address",
        ["revocations", "address"],
        `not a TCP address: \`${address}\``,
        "`host:port` or `[IPv6]:port`",
      ),
    );
  return faults;
}
