import { messageOf } from "#platform/coded-error";
import type { Log } from "#platform/log";
import { type AdminDoors, openAdmin, type PreparedAdmin } from "./admin-doors.ts";

/** The admin API of a service, which another configuration may open elsewhere or close. */
export interface AdminSwitch {
  /** Undefined: none. Where the new one cannot be opened the old one is opened again, and the fault thrown. */
  become(wanted: PreparedAdmin | undefined): Promise<void>;
  wanted(): PreparedAdmin | undefined;
  addresses(): readonly string[];
  stop(deadline: AbortSignal): Promise<void>;
}

/** Requests at a door that goes have so long to finish. */
const retireMillis = 5_000;

export function createAdminSwitch(parts: Parameters<typeof openAdmin>[1], log: Log): AdminSwitch {
  let open: { readonly prepared: PreparedAdmin; readonly doors: AdminDoors } | undefined;
  const openOne = async (prepared: PreparedAdmin) => ({ prepared, doors: await openAdmin(prepared, parts, log) });
  return {
    async become(wanted) {
      if (wanted?.mark === open?.prepared.mark) return;
      const old = open;
      open = undefined;
      // Not awaited: the request that asks for the change may have come in at the door that goes.
      old?.doors
        .stop(AbortSignal.timeout(retireMillis))
        .catch((fault: unknown) => log.error({ fault: messageOf(fault) }, "the admin API did not close"));
      if (wanted === undefined) return;
      try {
        open = await openOne(wanted);
      } catch (fault) {
        if (old !== undefined) open = await openOne(old.prepared);
        throw fault;
      }
    },
    wanted: () => open?.prepared,
    addresses: () => open?.doors.addresses ?? [],
    async stop(deadline) {
      await open?.doors.stop(deadline);
    },
  };
}
