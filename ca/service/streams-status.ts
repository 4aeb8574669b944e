import type { BundleStream } from "#ca/rotation/contract";
import type { StreamsStatus } from "#ca/service/contract";
import type { StreamStatus } from "#xds/contract";

const mostListed = 500;

/** What the status page tells of streams: all of them, and of those who take the bundle how many have this version. */
export function streamsStatus(
  streams: readonly StreamStatus[],
  takers: readonly BundleStream[],
  bundleVersion: string,
): StreamsStatus {
  const isRejecting = ({ names }: StreamStatus) => names.some(({ rejected }) => rejected !== undefined);
  const rejecting = streams.filter(isRejecting);
  const others = streams.filter((stream) => !isRejecting(stream));
  return {
    open: streams.length,
    bundle: {
      taken: takers.length,
      acknowledged: takers.filter(({ acknowledged }) => acknowledged === bundleVersion).length,
    },
    listed: [...rejecting, ...others].slice(0, mostListed),
  };
}
