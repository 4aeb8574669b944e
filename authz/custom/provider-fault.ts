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
