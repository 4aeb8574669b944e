import type { EmergencyPlan, Forecast, Hold, RotationStatus } from "#ca/rotation/contract";
import { renderTime } from "./render.ts";
import type { ForecastShape, HoldShape, PlanShape, RotationShape } from "./root-shapes.ts";

const mostListed = 100;

export function renderRotation({ roots, bundle, steps, waivers, fault }: RotationStatus): RotationShape {
  return {
    roots: roots.map(({ keyId, subject, state, stateMillis, notAfterMillis }) => ({
      keyId,
      subject,
      state,
      since: renderTime(stateMillis),
      notAfter: renderTime(notAfterMillis),
    })),
    bundle: { sequence: bundle.sequence, version: bundle.version },
    steps: steps.map(({ rootKeyId, from, to, heldUpBy }) => ({
      root: rootKeyId,
      from,
      to,
      waitsFor: heldUpBy.length,
      heldUpBy: heldUpBy.slice(0, mostListed).map(renderHold),
    })),
    waivers: waivers.map(({ rootKeyId, spiffeId, atMillis, by, reason }) => ({
      root: rootKeyId,
      spiffeId,
      at: renderTime(atMillis),
      by,
      reason,
    })),
    ...(fault === undefined ? {} : { fault }),
  };
}

export function renderPlan(plan: EmergencyPlan): PlanShape {
  const { action, rootKeyId, subject, identities, breaks, confirmation } = plan;
  return {
    action,
    root: rootKeyId,
    subject,
    identities,
    broken: breaks.length,
    breaks: breaks.slice(0, mostListed).map(renderHold),
    confirmation,
  };
}

export function renderForecast({ proxies, identities, ends, ifRemoved }: Forecast): ForecastShape {
  return {
    proxies,
    identities,
    ...(ends === undefined
      ? {}
      : {
          first: { at: renderTime(ends.firstMillis), spiffeId: ends.firstSpiffeId },
          half: renderTime(ends.halfMillis),
          last: renderTime(ends.lastMillis),
        }),
    ifRemoved: ifRemoved.map(({ role, keyId, proxies: broken, identities: named, named: names }) => ({
      role,
      keyId,
      proxies: broken,
      identities: named,
      named: names,
    })),
  };
}

function renderHold(hold: Hold): HoldShape {
  switch (hold.kind) {
    case "self-test":
      return { kind: hold.kind, message: hold.message };
    case "in-force":
      return { kind: hold.kind };
    case "time":
      return { kind: hold.kind, until: renderTime(hold.untilMillis) };
    case "certificate":
      return {
        kind: hold.kind,
        spiffeId: hold.spiffeId,
        serial: hold.serialHex,
        until: renderTime(hold.untilMillis),
      };
    case "stream": {
      const { kind, spiffeId, node, rejected } = hold;
      return { kind, spiffeId, node, ...(rejected === undefined ? {} : { message: rejected }) };
    }
    default:
      return hold satisfies never;
  }
}
