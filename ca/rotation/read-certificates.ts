import type { CaStore, CertificateInUse } from "#ca/store/contract";

const pageSize = 1_000;

/** Every certificate that ends after a moment. Cost: one question to the store for each thousand; about 400 bytes of memory for each. */
export async function readCertificates(
  store: Pick<CaStore, "certificatesInUse">,
  endingAfterMillis: number,
): Promise<readonly CertificateInUse[]> {
  const all: CertificateInUse[] = [];
  for (;;) {
    const after = all.at(-1)?.serialHex;
    const page = await store.certificatesInUse({
      endingAfterMillis,
      limit: pageSize,
      ...(after === undefined ? {} : { after }),
    });
    all.push(...page);
    if (page.length < pageSize) return all;
  }
}
