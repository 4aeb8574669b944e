import { once } from "node:events";
import { readFile } from "node:fs/promises";
import type { IncomingMessage } from "node:http";
import { get } from "node:https";
import type { Issuer } from "./issuer.ts";

/** The text of the key set that an issuer publishes now, read over HTTPS. */
export async function publishedKeys({ jwksUri, caFile }: Issuer): Promise<string> {
  const asked = get(jwksUri, { ca: await readFile(caFile) });
  const [response] = (await once(asked, "response")) as [IncomingMessage];
  let text = "";
  response.setEncoding("utf8");
  for await (const chunk of response) text += chunk;
  return text;
}
