import type { SigningKey, SigningScheme } from "./keys.ts";

/** A JSON object as text to be: members in order, values as raw JSON, so that anything can be written. */
export type RawMembers = (readonly [name: string, json: string])[];

/** A token before it is signed. What stands here is what is signed. */
export interface TokenDraft {
  header: RawMembers;
  payload: RawMembers;
  /** Instead of the members: the bytes of header or payload as they are. */
  headerBytes?: Buffer;
  payloadBytes?: Buffer;
  key: SigningKey;
  scheme: SigningScheme;
}

/** The text of an object of raw members. */
export function rawObject(members: RawMembers): string {
  return `{${members.map(([name, json]) => `${JSON.stringify(name)}:${json}`).join(",")}}`;
}

/** Gives a member that value, or takes it away; added at the end when it is new. */
export function setMember(members: RawMembers, name: string, json: string | undefined): void {
  const at = members.findIndex(([member]) => member === name);
  if (json === undefined) {
    if (at >= 0) members.splice(at, 1);
  } else if (at >= 0) {
    members[at] = [name, json];
  } else {
    members.push([name, json]);
  }
}

/** The three segments, signed. */
export function signDraft(draft: TokenDraft): string {
  const header = draft.headerBytes ?? Buffer.from(rawObject(draft.header));
  const payload = draft.payloadBytes ?? Buffer.from(rawObject(draft.payload));
  const text = `${header.toString("base64url")}.${payload.toString("base64url")}`;
  return `${text}.${draft.key.sign(text, draft.scheme).toString("base64url")}`;
}
