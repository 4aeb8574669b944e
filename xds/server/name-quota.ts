import type { CallRoom } from "#platform/grpc/call-room";
import { discoveryLimits } from "../limits.ts";

/** How many names one stream may have kept, and how much of them. */
export interface NameQuota {
  /** False: there is no room for another one, and nothing was taken. */
  take(name: string): boolean;
  giveBack(name: string): void;
}

/** What a record takes beside its name. */
const recordBytes = 200;

/** `room`: of all streams together. */
export function createNameQuota(room: CallRoom): NameQuota {
  let names = 0;
  let keptBytes = 0;
  return {
    take(name) {
      const sizeBytes = sizeOf(name);
      if (names >= discoveryLimits.names || keptBytes + sizeBytes > discoveryLimits.streamBytes) return false;
      if (!room.take(sizeBytes)) return false;
      names++;
      keptBytes += sizeBytes;
      return true;
    },
    giveBack(name) {
      names--;
      keptBytes -= sizeOf(name);
      room.giveBack(sizeOf(name));
    },
  };
}

function sizeOf(name: string): number {
  return recordBytes + 2 * name.length;
}
