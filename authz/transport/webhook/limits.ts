/** What strangers may hold at the listener for webhooks, and what of theirs is believed; `docs/limits.md` tells them. */
export const webhookLimits = {
  /** Of a body: hosts send less for a push of some thousand commits. */
  deliveryBytes: 4 * 1024 * 1024,
  /** Older and newer deliveries than this are refused, where the host signs their time. */
  clockToleranceSeconds: 300,
  /** A delivery that comes again within so long asks nothing. */
  rememberedMillis: 3_600_000,
  /** What tells deliveries apart; one has at most two. The oldest are forgotten first. */
  rememberedMarks: 4_096,
  /** The source is not asked more often than this. */
  hintGapMillis: 1_000,
  connections: 128,
  headerBytes: 16 * 1024,
  headersMillis: 5_000,
  requestMillis: 15_000,
  idleMillis: 5_000,
  handshakeMillis: 5_000,
} as const;
