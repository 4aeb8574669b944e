import type { CaStore, CertificateInUse, RootWaiver } from "#ca/store/contract";
import { createMemoryAuthorityStore, type MemoryAuthorityStore } from "#test/support/ca/memory-authority-store";

/** The store of a simulated authority: certificates are rows of a list, in the order of their numbers. */
export interface MemoryRotationStore
  extends MemoryAuthorityStore,
    Pick<CaStore, "certificatesInUse" | "rootWaivers" | "addRootWaiver"> {
  certificates: CertificateInUse[];
}

export function createMemoryRotationStore(): MemoryRotationStore {
  const waivers: RootWaiver[] = [];
  let paged: readonly CertificateInUse[] = [];
  const store: MemoryRotationStore = Object.assign(createMemoryAuthorityStore(), {
    certificates: [] as CertificateInUse[],
    async certificatesInUse({ endingAfterMillis, after, limit }: Parameters<CaStore["certificatesInUse"]>[0]) {
      if (after === undefined) {
        store.certificates = store.certificates.filter(({ notAfterMillis }) => notAfterMillis > endingAfterMillis);
        paged = [...store.certificates];
      }
      const from = after === undefined ? 0 : paged.findIndex(({ serialHex }) => serialHex === after) + 1;
      return paged.slice(from, from + limit);
    },
    rootWaivers: async () => waivers,
    async addRootWaiver(waiver: RootWaiver) {
      waivers.push(waiver);
      return true;
    },
  });
  return store;
}
