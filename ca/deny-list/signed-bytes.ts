const domain = Buffer.from("garita.revocation.v1.DenyList\0");

/** What is signed of a list: with a text in front that nothing else is signed with, so that a signature over a list is good for nothing else, and none of another thing for a list. */
export function signedBytes(payload: Uint8Array): Uint8Array {
  return Buffer.concat([domain, payload]);
}
