import { createHash, createHmac } from "node:crypto";
import { secretsEqual } from "#platform/secret";
import { webhookLimits } from "./limits.ts";

/** A field of the request; undefined where it is lacking. Fields that come twice are joined, and fit nothing then. */
export type Field = (name: string) => string | undefined;

/** A delivery whose body is still coming in. Nothing of it is kept. */
export interface Delivery {
  update(chunk: Uint8Array): void;
  /** When all has come: what tells deliveries apart, or undefined for one that the host has not sent. */
  verify(): readonly string[] | undefined;
}

/** Begins to look at a delivery; undefined: its fields already say that the host has not sent it. */
export type Begin = (field: Field, secret: Uint8Array, nowMillis: number) => Delivery | undefined;

/** How each host proves that it has sent a delivery, by the path that it is told to send to. */
export const webhookHosts: ReadonlyMap<string, Begin> = new Map<string, Begin>([
  // docs.github.com, "Validating webhook deliveries"
  ["/github", signedBody("x-hub-signature-256", "sha256=", "x-github-delivery")],
  // docs.gitea.com, "Webhooks"; Forgejo sends these fields too
  ["/gitea", signedBody("x-gitea-signature", "", "x-gitea-delivery")],
  ["/forgejo", signedBody("x-forgejo-signature", "", "x-forgejo-delivery")],
  // docs.gitlab.com, "Webhooks": with a signing token, or with a secret token that comes with each delivery
  [
    "/gitlab",
    (field, ...rest) => (field("webhook-signature") === undefined ? secretToken : signedTime)(field, ...rest),
  ],
]);

/** HMAC-SHA-256 of the body, in hexadecimal after `prefix`. */
function signedBody(signature: string, prefix: string, id: string): Begin {
  return (field, secret) => {
    const given = field(signature);
    if (given?.startsWith(prefix) !== true) return undefined;
    const mac = createHmac("sha256", secret);
    return {
      update: (chunk) => mac.update(chunk),
      verify() {
        const digest = mac.digest();
        // The id is not signed: a body that is sent again under another is known by its signature.
        return secretsEqual(digest, hexBytes(given.slice(prefix.length)))
          ? marks(field(id), digest.toString("hex"))
          : undefined;
      },
    };
  };
}

/** The scheme of standardwebhooks.com: an HMAC-SHA-256 of id, time and body. `whsec_` stands before a key in Base64. */
function signedTime(field: Field, secret: Uint8Array, nowMillis: number): Delivery | undefined {
  const [id, time, signatures] = [field("webhook-id"), field("webhook-timestamp"), field("webhook-signature")];
  if (id === undefined || time === undefined || signatures === undefined || !/^[0-9]{1,12}$/.test(time))
    return undefined;
  if (Math.abs(nowMillis / 1000 - Number(time)) > webhookLimits.clockToleranceSeconds) return undefined;
  const text = Buffer.from(secret).toString("latin1");
  const key = text.startsWith("whsec_") ? Buffer.from(text.slice("whsec_".length), "base64") : secret;
  if (key.length === 0) return undefined;
  const mac = createHmac("sha256", key).update(`${id}.${time}.`);
  return {
    update: (chunk) => mac.update(chunk),
    verify() {
      const digest = mac.digest();
      const expected = Buffer.from(`v1,${digest.toString("base64")}`);
      const given = signatures.split(" ").slice(0, mostSignatures);
      const fits = given.map((one) => secretsEqual(expected, Buffer.from(one)));
      return fits.includes(true) ? marks(id, digest.toString("hex")) : undefined;
    },
  };
}

/** While a key is changed there are two. */
const mostSignatures = 5;

function secretToken(field: Field, secret: Uint8Array): Delivery | undefined {
  const token = field("x-gitlab-token");
  if (token === undefined || !secretsEqual(secret, Buffer.from(token, "latin1"))) return undefined;
  const hash = createHash("sha256");
  return {
    update: (chunk) => hash.update(chunk),
    verify: () => marks(field("idempotency-key") ?? field("x-gitlab-event-uuid"), hash.digest("hex")),
  };
}

function marks(id: string | undefined, digest: string): readonly string[] {
  return id === undefined ? [digest] : [`id ${id.slice(0, longestId)}`, digest];
}

const longestId = 200;

function hexBytes(text: string): Uint8Array {
  return /^[0-9a-f]{64}$/.test(text) ? Buffer.from(text, "hex") : new Uint8Array();
}
