import type { TrustBundle } from "#ca/authorities/contract";
import type { KeyPair } from "#ca/authorities/generate-key";
import { buildCsr } from "#ca/csr/build-csr";
import type { Certificate } from "#ca/x509/contract";
import { writePem } from "#ca/x509/pem";
import { CodedError, messageOf } from "#platform/coded-error";
import type { FaultCode } from "#platform/fault-codes";
import { grpcCodes } from "#platform/grpc/codes";
import { acceptBundle } from "./accept-bundle.ts";
import { acceptCertificate } from "./accept-certificate.ts";
import { type Pace, paceOf } from "./back-off.ts";
import type {
  AgentCredential,
  Attest,
  AuthorityLink,
  HeldCertificate,
  IdentitySettings,
  OpenLink,
} from "./contract.ts";
import { readPrivateKey, writePrivateKey } from "./private-key.ts";
import { phaseOf } from "./renewal.ts";

export interface ObtainParts {
  readonly settings: IdentitySettings;
  readonly openLink: OpenLink;
  readonly attest: Attest;
  /** A key whose certificate has not come, kept by the state folder; one is made where there is none. */
  readonly nextKey: () => Promise<KeyPair>;
  readonly nowMillis: () => number;
}

/** What is known when the authority is asked. */
export interface Known {
  readonly held: HeldCertificate | undefined;
  readonly bundle: TrustBundle | undefined;
  /** Opened with `held`; undefined: none is open. */
  readonly link: AuthorityLink | undefined;
}

export type Obtained =
  | {
      readonly ok: true;
      readonly held: HeldCertificate;
      /** The bundle of the answer. */
      readonly offered: TrustBundle;
    }
  | {
      readonly ok: false;
      readonly code: FaultCode;
      readonly message: string;
      readonly pace: Pace;
      /** The authority's answer, where there was one: a gRPC status. */
      readonly status: number | undefined;
    };

/**
 * Asks the authority once: with the certificate that is held, and where that is not accepted (it ended, it was revoked), or none is held, with the attestation. A key is made for each
 * certificate; but a certificate that has ended is renewed for its own key, for no other is given one by the grace of the authority. Never rejects.
 */
export async function obtainCertificate(parts: ObtainParts, known: Known): Promise<Obtained> {
  const { held, bundle } = known;
  if (held === undefined || bundle === undefined) return attested(parts, known);
  const own = await attempt(async () => {
    const ended = phaseOf(held, parts.nowMillis()) === "ended";
    const key = ended ? readPrivateKey(writePrivateKey(held.privateKey)) : await parts.nextKey();
    return ask(parts, known, { credential: { kind: "certificate", held }, anchors: bundle.anchors, key });
  });
  if (own.ok || own.status !== grpcCodes.unauthenticated) return own;
  const again = await attested(parts, known);
  return again.ok ? again : { ...again, message: `${again.message}; with its own certificate: ${own.message}` };
}

function attested(parts: ObtainParts, known: Known): Promise<Obtained> {
  return attempt(async () => {
    const { token, anchors } = await parts.attest(known.bundle);
    const key = await parts.nextKey();
    return ask(parts, { ...known, link: undefined }, { credential: { kind: "bearer", token }, anchors, key });
  });
}

interface Asking {
  readonly credential: AgentCredential;
  /** Who may vouch for the server. */
  readonly anchors: readonly Certificate[];
  readonly key: KeyPair;
}

async function ask(parts: ObtainParts, { bundle, link }: Known, asking: Asking): Promise<Obtained> {
  const { settings, nowMillis } = parts;
  const { spiffeId, ttlSeconds } = settings;
  const csrPem = writePem("CERTIFICATE REQUEST", buildCsr(asking.key.privateKey, spiffeId.toString()));
  const used = link ?? parts.openLink(asking.anchors, asking.credential);
  const answer = await used.request(csrPem, ttlSeconds).finally(() => {
    if (used !== link) used.close();
  });
  if (!answer.ok) {
    const pace = paceOf(answer.code);
    const code = answer.code === grpcCodes.unavailable ? "agent/unreachable" : "agent/refused";
    return { ok: false, code, message: answer.message, pace, status: answer.code };
  }
  if (answer.chain.length < 2) throw new CodedError("agent/answer", "the authority's answer has no bundle");
  const offered = acceptBundle(answer.chain.at(-1)!, spiffeId.trustDomain, (bundle?.sequence ?? 0) + 1);
  const pem = answer.chain.slice(0, -1).join("");
  const expected = { spiffeId, key: asking.key, nowMillis: nowMillis() };
  const accept = async (anchors: readonly Certificate[]): Promise<Obtained> => {
    return { ok: true, held: acceptCertificate(pem, { ...expected, anchors }), offered };
  };
  const known = bundle && (await attempt(() => accept(bundle.anchors)));
  return known?.ok ? known : accept(offered.anchors);
}

/** What somebody has to mend is not tried again at once. */
const lateCodes: ReadonlySet<FaultCode> = new Set<FaultCode>(["agent/attestation", "agent/root", "agent/answer"]);

async function attempt(run: () => Promise<Obtained>): Promise<Obtained> {
  try {
    return await run();
  } catch (fault) {
    const code = fault instanceof CodedError ? fault.code : "agent/failed";
    const pace = lateCodes.has(code) ? "late" : "soon";
    return { ok: false, code, message: messageOf(fault), pace, status: undefined };
  }
}
