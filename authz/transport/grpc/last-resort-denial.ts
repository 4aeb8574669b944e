/**
 * A complete CheckResponse that denies: `status {code: 7}` and `denied_response {status {code: 403}}`. It is what goes out when a
 * check failed to make an answer of its own. Bytes and not an encoder's work, so that nothing can fail here, and never a
 * gRPC error: that one is subject to the proxy's `failure_mode_allow`, and an empty message would mean "allowed" (Envoy ext_authz).
 */
export const lastResortDenial: Buffer = Buffer.from([
  0x0a,
  0x02,
  0x08,
  0x07, // status: code 7, PERMISSION_DENIED
  0x12,
  0x05,
  0x0a,
  0x03,
  0x08,
  0x93,
  0x03, // denied_response: status: code 403
]);
