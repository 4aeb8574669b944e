import type { TlsMaterial } from "#platform/tls-material";
import type { Changeable } from "./apply-config.ts";

/** The certificate out of a file that a door shows to its clients. */
export interface ServedCertificate extends Pick<TlsMaterial, "notBeforeMillis" | "notAfterMillis"> {
  /** `listener NAME`, `admin API` or `webhook`. */
  readonly door: string;
}

type Doors = Pick<Changeable, "listeners" | "admin" | "webhook">;

/** The certificates of all doors that run. Those of the certificate authority's doors are its own, which it renews. */
export function servedCertificates({ listeners, admin, webhook }: Doors): readonly ServedCertificate[] {
  const doors = [
    ...listeners.running.map(({ prepared }) => ({ door: `listener ${prepared.config.name}`, tls: prepared.tls })),
    { door: "admin API", tls: admin.wanted()?.tls },
    { door: "webhook", tls: webhook.wanted()?.tls },
  ];
  return doors.flatMap(({ door, tls }) =>
    tls === undefined ? [] : [{ door, notBeforeMillis: tls.notBeforeMillis, notAfterMillis: tls.notAfterMillis }],
  );
}

const mostMillis = 7 * 24 * 3600 * 1000;

/** Those that do not count yet, or end soon, one line each: within a tenth of their lifetime, and a week. */
export function certificateWarnings(certificates: readonly ServedCertificate[], nowMillis: number): string[] {
  return certificates.flatMap(({ door, notBeforeMillis, notAfterMillis }) => {
    if (notBeforeMillis > nowMillis)
      return [`${door}: the certificate does not count before ${new Date(notBeforeMillis).toISOString()}`];
    const soonMillis = Math.min((notAfterMillis - notBeforeMillis) / 10, mostMillis);
    if (notAfterMillis - nowMillis > soonMillis) return [];
    const ends = notAfterMillis < nowMillis ? "ended" : "ends";
    return [`${door}: the certificate ${ends} at ${new Date(notAfterMillis).toISOString()}`];
  });
}
