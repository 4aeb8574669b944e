/** A `google.protobuf.Duration` of whole milliseconds. */
export function duration(millis: number): { seconds: bigint; nanos: number } {
  return { seconds: BigInt(Math.trunc(millis / 1000)), nanos: (millis % 1000) * 1_000_000 };
}
