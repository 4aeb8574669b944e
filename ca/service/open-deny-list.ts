import type { Authorities } from "#ca/authorities/authorities";
import { createServerCertificate } from "#ca/authorities/server-certificate";
import { denyListSignerId } from "#ca/deny-list/contract";
import {
  createDenyListPublisher,
  type DenyListPublisher,
  type DenyListPublisherParts,
} from "#ca/deny-list/publish-deny-list";
import { createIssueServerCertificate, type ServerCertificateParts } from "./issue-server-certificate.ts";
import type { Revoked } from "./revoked.ts";

export interface DenyListParts extends Omit<DenyListPublisherParts, "denied" | "openSigner"> {
  readonly authorities: Authorities;
  readonly certifyParts: Omit<ServerCertificateParts, "authorities" | "names" | "spiffeId">;
  readonly revoked: Revoked;
}

/** The deny list of an authority: made anew when something is revoked, and signed by another key when the issuing authority is another. */
export function openDenyList(parts: DenyListParts): {
  readonly publisher: DenyListPublisher;
  readonly close: () => void;
} {
  const { authorities, revoked, clock, timers, log } = parts;
  const names = { dnsNames: [], ipAddresses: [] };
  const issue = createIssueServerCertificate({
    ...parts.certifyParts,
    authorities: authorities.current,
    names,
    spiffeId: denyListSignerId,
  });
  const publisher = createDenyListPublisher({
    ...parts,
    denied: revoked.denied,
    openSigner: (onRenewed) =>
      createServerCertificate({ issue, timers, clock, log, onRenewed, name: "the certificate of the deny list" }),
  });
  let issuerKeyId = authorities.current().issuing?.keyId;
  const stops = [
    revoked.subscribe(publisher.changed),
    revoked.subscribeKept(publisher.changed),
    authorities.subscribe(() => {
      const { issuing } = authorities.current();
      if (issuing?.keyId !== issuerKeyId) publisher.renewSigner();
      issuerKeyId = issuing?.keyId;
    }),
    publisher.close,
  ];
  return {
    publisher,
    close() {
      for (const stop of stops) stop();
    },
  };
}
