import { fetchDocument } from "#platform/fetch-document";
import { fetchedJson, renderFetched } from "../report/jwks.ts";
import { prepareFetching } from "../serve/issuer-keys.ts";
import { fetchKeys, type Meant } from "./fetch-keys.ts";
import { type FetchOptions, jwtConfigOf } from "./fetch-once.ts";

/** Fetches the keys of an address and renders them. `usable`: there is a key that Envoy would take. */
export async function fetchReport(
  uri: string,
  options: FetchOptions & { readonly as: Meant; readonly format: "text" | "json" },
  environment: Readonly<Record<string, string | undefined>>,
): Promise<{ readonly text: string; readonly usable: boolean }> {
  const { fetch } = await prepareFetching(await jwtConfigOf(options, environment), environment);
  const fetched = await fetchKeys(uri, options.as, (each, limits) => fetchDocument(each, fetch, limits));
  const text =
    options.format === "json" ? `${JSON.stringify(fetchedJson(fetched), undefined, 2)}\n` : renderFetched(fetched);
  return { text, usable: fetched.fault === undefined };
}
