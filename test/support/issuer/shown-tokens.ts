import { generateKeyPair, SignJWT } from "jose";
import type { Issuer } from "./issuer.ts";

/** Good tokens of a provider, with claims of their own or of the wrong kind, and what a client might show instead of one. */
export async function shownTokens(issuer: Issuer): Promise<Readonly<Record<string, string>>> {
  const now = Math.floor(Date.now() / 1000);
  const good = await issuer.token({ sub: "alice", plan: { tier: "gold" }, roles: ["buyer", "seller"] });
  const [header, payload, signature] = good.split(".") as [string, string, string];
  const { kid } = JSON.parse(Buffer.from(header, "base64url").toString()) as { kid: string };
  const { privateKey } = await generateKeyPair("RS256");
  const foreign = (protectedHeader: { alg: string; kid?: string }) =>
    new SignJWT(JSON.parse(Buffer.from(payload, "base64url").toString()))
      .setProtectedHeader(protectedHeader)
      .sign(privateKey);
  const none = Buffer.from(JSON.stringify({ alg: "none" })).toString("base64url");
  return {
    good,
    bare: await issuer.token({ sub: "bob" }),
    accented: await issuer.token({ sub: "zo\u00eb \u2603", plan: { tier: "\u00ab\u00bb" } }),
    banned: await issuer.token({ sub: "mallory", roles: ["banned"] }),
    unread: await issuer.token({ sub: "carol", scope: "write" }),
    expired: await issuer.token({ exp: now - 90 }),
    early: await issuer.token({ nbf: now + 90 }),
    forOthers: await issuer.token({ aud: "https://other.example" }),
    ofOthers: await issuer.token({ iss: "https://other.example" }),
    wrongKey: await foreign({ alg: "RS256", kid }),
    unknownKid: await foreign({ alg: "RS256", kid: "nobody" }),
    noKid: await foreign({ alg: "RS256" }),
    none: `${none}.${payload}.`,
    noneSigned: `${none}.${payload}.${signature}`,
    changed: `${header}.${payload.slice(0, -4)}AAAA.${signature}`,
    garbage: "garbage",
    dots: "a.b.c",
  };
}
