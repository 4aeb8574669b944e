import { createHmac } from "node:crypto";
import { readFileSync } from "node:fs";

/** What a test's hosts sign with. */
export const hostSecret = "a-secret-of-the-host";

/** A push as its host tells it. */
export interface HostDelivery {
  /** Name of the path that it is sent to. */
  readonly host: "github" | "gitlab" | "gitea" | "forgejo";
  /** The field that proves who has sent it. */
  readonly proof: string;
  /** A body of the host's shape. */
  readonly body: Buffer;
  /** The host's fields over these bytes, under a secret. */
  fields(body: Buffer, nowSeconds: number, secret?: string): Record<string, string>;
}

/** HMAC-SHA-256 in hexadecimal. */
export function hexMac(body: string | Buffer, secret: string = hostSecret): string {
  return createHmac("sha256", secret).update(body).digest("hex");
}

/** Each way in which a host proves that it has sent a push. */
export const hostDeliveries: readonly HostDelivery[] = [
  {
    host: "github",
    proof: "x-hub-signature-256",
    body: shape("github"),
    fields: (body, _nowSeconds, secret) => ({
      "user-agent": "GitHub-Hookshot/f05835d",
      "x-github-delivery": "72d3162e-cc78-11e3-81ab-4c9367dc0958",
      "x-github-event": "push",
      "x-hub-signature": "sha1=7d38cdd689735b008b3c702edd92eea23791c5f6",
      "x-hub-signature-256": `sha256=${hexMac(body, secret)}`,
    }),
  },
  {
    host: "gitea",
    proof: "x-gitea-signature",
    body: shape("gitea"),
    fields: (body, _nowSeconds, secret) => ({
      "x-gitea-delivery": "f6266f16-1bf3-46a5-9ea4-602e06ead473",
      "x-gitea-event": "push",
      "x-gitea-signature": hexMac(body, secret),
      "x-hub-signature-256": `sha256=${hexMac(body, secret)}`,
    }),
  },
  {
    host: "forgejo",
    proof: "x-forgejo-signature",
    body: shape("gitea"),
    fields: (body, _nowSeconds, secret) => ({
      "x-forgejo-delivery": "f6266f16",
      "x-forgejo-event": "push",
      "x-forgejo-signature": hexMac(body, secret),
    }),
  },
  {
    host: "gitlab",
    proof: "x-gitlab-token",
    body: shape("gitlab"),
    fields: (_body, _nowSeconds, secret = hostSecret) => ({
      "x-gitlab-event": "Push Hook",
      "x-gitlab-event-uuid": "13792a34-cac6-4fda-95a8-c58e00a3954e",
      "idempotency-key": "f5e5f430-f57b-4e6e-9fac-d9128cd7232f",
      "x-gitlab-token": secret,
    }),
  },
  {
    host: "gitlab",
    proof: "webhook-signature",
    body: shape("gitlab"),
    fields: (body, nowSeconds, secret = hostSecret) => ({
      "x-gitlab-event": "Push Hook",
      "webhook-id": "msg_1",
      "webhook-timestamp": `${nowSeconds}`,
      "webhook-signature": `v1,AAAA v1,${createHmac("sha256", secret).update(`msg_1.${nowSeconds}.`).update(body).digest("base64")}`,
    }),
  },
];

function shape(name: string): Buffer {
  return readFileSync(new URL(`${name}.json`, import.meta.url));
}
