import type { AgentCredential, AskAnswer, AuthorityLink, OpenLink } from "#ca/agent/contract";
import { writePrivateKey } from "#ca/agent/private-key";
import type { Certificate } from "#ca/x509/contract";
import { writePem } from "#ca/x509/pem";
import { readCertificate } from "#ca/x509/read-certificate";
import { readKnownExtensions } from "#ca/x509/verify-extensions";
import { quote } from "#identity/encoding/quote";
import type { Address } from "#platform/address";
import type { ChannelStart, GrpcChannel } from "#platform/grpc/client-contract";
import { grpcCodes } from "#platform/grpc/codes";
import { decodeIstioResponse, encodeIstioRequest } from "../istio/client-messages.ts";
import { createCertificatePath } from "../istio/create-certificate.ts";
import { type FollowBundleParts, followBundle } from "./follow-bundle.ts";

export interface OpenLinkParts extends FollowBundleParts {
  /** The authority's gRPC door. */
  readonly address: Address;
  /** Undefined: the address's host. */
  readonly serverName: string | undefined;
  /** The one SPIFFE ID that its server certificate must have. */
  readonly serverSpiffeId: string;
  /** See `openChannel`. */
  readonly openChannel: (start: ChannelStart) => GrpcChannel;
}

/** An agent behind a firewall that forgets idle connections is told within so long. */
const keepaliveMillis = 30_000;
const deadlineMillis = 15_000;

/**
 * Links to an authority over TLS: certificates by Istio's `CreateCertificate`, bundles by delta SDS. INVARIANT: a server is believed when its chain ends in one of the anchors, it has the name
 * that was asked for, and its one URI is the authority's own: a workload of the trust domain, whose certificate ends in the same anchor, is not taken for it.
 */
export function createOpenLink(parts: OpenLinkParts): OpenLink {
  const { address, serverName, serverSpiffeId, openChannel } = parts;
  return (anchors, credential) => {
    const client = credential.kind === "certificate" ? clientPair(credential) : undefined;
    const rootsPem = pemOf(anchors);
    const serverFault = (der: Uint8Array) => identityFault(der, serverSpiffeId);
    const channel = openChannel({ address, tls: { rootsPem, serverName, client, serverFault }, keepaliveMillis });
    const metadata: Record<string, string> =
      credential.kind === "bearer" ? { authorization: `Bearer ${credential.token}` } : {};
    let stopFollowing: (() => void) | undefined;
    const link: AuthorityLink = {
      async request(csrPem, ttlSeconds): Promise<AskAnswer> {
        const message = encodeIstioRequest(csrPem, ttlSeconds);
        const result = await channel.call(createCertificatePath, message, { metadata, deadlineMillis });
        if (!result.ok) return { ok: false, ...result.end };
        const chain = decodeIstioResponse(result.message);
        if (chain !== undefined) return { ok: true, chain };
        return { ok: false, code: grpcCodes.internal, message: "the answer is no IstioCertificateResponse" };
      },
      followBundle(heard, refused) {
        stopFollowing ??= followBundle(parts, channel, heard, refused);
      },
      close() {
        stopFollowing?.();
        channel.close();
      },
    };
    return link;
  };
}

function clientPair({ held }: Extract<AgentCredential, { readonly kind: "certificate" }>) {
  return { certPem: pemOf(held.chain), keyPem: writePrivateKey(held.privateKey) };
}

function pemOf(certificates: readonly Certificate[]): string {
  return certificates.map(({ der }) => writePem("CERTIFICATE", der)).join("");
}

/** Undefined: the leaf's one URI is this. */
function identityFault(leafDer: Uint8Array, spiffeId: string): string | undefined {
  const read = readCertificate(leafDer);
  const names = read.ok ? (readKnownExtensions(read.value)?.names ?? []) : [];
  const uris = names.flatMap((name) => (name.kind === "uri" ? [name.value] : []));
  if (uris.length === 1 && uris[0] === spiffeId) return undefined;
  return `the server is not ${quote(spiffeId)}: its certificate has ${uris.length === 0 ? "no URI" : uris.map(quote).join(", ")}`;
}
