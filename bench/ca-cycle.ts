import { hash, randomBytes } from "node:crypto";
import type { AuthoritySet } from "#ca/authorities/contract";
import type { Caller } from "#ca/callers/contract";
import { KeyPolicy } from "#ca/csr/key-policy";
import { parseCsr } from "#ca/csr/parse-csr";
import { proveCsr } from "#ca/csr/prove-csr";
import { buildTemplate } from "#ca/issuance/build-template";
import { decideGrant, type Granted, type InForce } from "#ca/issuance/decide-grant";
import { resultFault } from "#ca/issuance/issued-certificate";
import { issuanceDefaults } from "#ca/issuance/settings";
import { type LintedTemplate, lintTemplate } from "#ca/lint/linted-template";
import { buildRegistrations } from "#ca/registration/build-registrations";
import { parseSpiffeId } from "#identity/spiffe-id";
import { entry } from "#test/support/ca/scene";
import { cpuTimes, spentNanos } from "./cpu.ts";

/** Everything that issuing a certificate takes but the record of it: the product's own functions in their order. */
export interface Cycle {
  /** Throws where a request is refused: nothing that is measured may fail. */
  issue(csrPem: string): Uint8Array;
  /** Processor time of all threads for one certificate, microseconds, in each part of the cycle. The parts are run one after the other over all requests. */
  stages(csrPems: readonly string[]): Readonly<Record<CycleStage, number>>;
}

export type CycleStage = "parse" | "prove" | "decide" | "build" | "lint" | "sign" | "verify";

/** The cycle of one caller that renews, with an authority of a scene. */
export function createCycle(authorities: AuthoritySet, uri: string): Cycle {
  const issuing = authorities.issuing!;
  const caller = callerOf(uri);
  const inForce = (): InForce => ({
    authorities,
    registrations,
    settings: issuanceDefaults,
    keyPolicy,
    nowMillis: Date.now(),
    isIdentityRevoked: () => false,
    latestRecordMillis: 0,
    chance: 0.5,
  });
  const registrations = buildRegistrations([entry(uri)]);
  const keyPolicy = new KeyPolicy({ blockedKeys: new Set(), rememberedKeys: 1_000 });
  const granted = (csrPem: string): Granted => {
    const answer = decideGrant(inForce(), caller, { spiffeId: undefined, csrPem, ttlSeconds: undefined }, {});
    if (!answer.ok) throw new Error(`refused: ${answer.refusal.code} ${answer.refusal.seen}`);
    return answer;
  };
  const linted = ({ grant }: Granted): LintedTemplate => {
    const { result } = buildTemplate(grant, issuing, randomBytes);
    if (!result.ok) throw new Error(JSON.stringify(result.findings));
    return result.linted;
  };
  const verified = (der: Uint8Array, template: LintedTemplate): string => {
    const fault = resultFault(der, template, issuing);
    if (fault !== undefined) throw new Error(fault);
    return hash("sha256", der, "hex");
  };
  return {
    issue(csrPem) {
      const template = linted(granted(csrPem));
      const der = issuing.sign(template);
      verified(der, template);
      return der;
    },
    stages(csrPems) {
      const each = <In, Out>(inputs: readonly In[], work: (input: In, i: number) => Out) => {
        const before = cpuTimes(process.pid);
        const outputs = inputs.map(work);
        return { outputs, micros: spentNanos(before, cpuTimes(process.pid)) / 1000 / inputs.length };
      };
      const parsed = each(csrPems, (pem) => parseCsr(pem));
      const proven = each(parsed.outputs, (each) => each.ok && proveCsr(each.csr, keyPolicy));
      const decided = each(csrPems, granted);
      const built = each(decided.outputs, linted);
      const again = each(built.outputs, ({ body, context }) => lintTemplate(body.tbsDer, context));
      const signed = each(built.outputs, (template) => issuing.sign(template));
      const checked = each(signed.outputs, (der, i) => verified(der, built.outputs[i]!));
      return {
        parse: parsed.micros,
        prove: proven.micros,
        decide: decided.micros - parsed.micros - proven.micros,
        build: built.micros - again.micros,
        lint: again.micros,
        sign: signed.micros,
        verify: checked.micros,
      };
    },
  };
}

function callerOf(uri: string): Caller {
  const parsed = parseSpiffeId(uri);
  if (!parsed.ok) throw new Error(`no SPIFFE ID: ${uri}`);
  return { method: "x509-svid", id: parsed.id, fingerprint: hash("sha256", uri, "hex"), serialHex: "01" };
}
