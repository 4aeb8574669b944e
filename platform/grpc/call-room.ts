import { grpcCodes } from "./codes.ts";

/** Room for what is kept of calls until they are answered, shared by all connections of a door. */
export interface CallRoom {
  /** False: there is not so much left, and nothing was taken. */
  take(sizeBytes: number): boolean;
  giveBack(sizeBytes: number): void;
}

/**
 * One connection may hold a hundred messages of 64 KiB, and one address a thousand connections: without a bound for all of them together a single client could
 * fill the memory with calls that it never ends.
 */
export function createCallRoom(limitBytes: number): CallRoom {
  let takenBytes = 0;
  return {
    take(sizeBytes) {
      if (takenBytes + sizeBytes > limitBytes) return false;
      takenBytes += sizeBytes;
      return true;
    },
    giveBack(sizeBytes) {
      takenBytes -= sizeBytes;
    },
  };
}

/** What a call is told for whose bytes there is no room. */
export const noRoom = {
  code: grpcCodes.resourceExhausted,
  message: "too many calls wait for their messages",
} as const;
