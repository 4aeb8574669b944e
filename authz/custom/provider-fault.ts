import type { ProviderEndpoint } from "#policy-compiler/ruleset/providers/resolve";
import { endpointText } from "./endpoint-text.ts";

/**
 * Why a provider gave no answer that counts. `message` is for logs and for status: one line without anything that a client or a provider
 * has written.
 */
export class ProviderFault extends Error {
  constructor(message: string) {
    super(message);
    this.name = "ProviderFault";
  }
}

/** The request cannot be put to the provider at all, whoever it is. `message` as above. */
export class UnaskableRequest extends Error {
  constructor(message: string) {
    super(message);
    this.name = "UnaskableRequest";
  }
}

/** What was thrown while a provider was asked, with the address that was dialled. */
export function faultAt(thrown: unknown, endpoint: ProviderEndpoint): unknown {
  return thrown instanceof ProviderFault ? new ProviderFault(`${thrown.message} (${endpointText(endpoint)})`) : thrown;
}
