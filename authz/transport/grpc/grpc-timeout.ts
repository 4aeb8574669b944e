const unitMillis: Readonly<Record<string, number>> = {
  H: 3_600_000,
  M: 60_000,
  S: 1000,
  m: 1,
  u: 1 / 1000,
  n: 1 / 1_000_000,
};

/**
 * Milliseconds of a `grpc-timeout` field: one to eight digits and a unit (gRPC over HTTP/2, "Timeout"). Undefined: the call has none, or what it has is no timeout: then the
 * listener's own limit counts alone.
 */
export function readGrpcTimeout(text: string | undefined): number | undefined {
  if (text === undefined || !/^[0-9]{1,8}[HMSmun]$/.test(text)) return undefined;
  return Number(text.slice(0, -1)) * unitMillis[text.slice(-1)]!;
}
