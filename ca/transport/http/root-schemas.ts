import { count, faults, list, object, reason, spiffeId, text, texts, time } from "./schemas.ts";

/** JSON Schemas of what is asked and said of the root. The types are those of `root-shapes.ts`. */

const hold = object({ kind: text }, { spiffeId: text, serial: text, node: text, until: time, message: text });

const rotation = object(
  {
    roots: list(object({ keyId: text, subject: text, state: text, since: time, notAfter: time })),
    bundle: object({ sequence: count, version: text }),
    steps: list(object({ root: text, from: text, to: text, waitsFor: count, heldUpBy: list(hold) })),
    waivers: list(object({ root: text, spiffeId: text, at: time, by: text, reason: text })),
  },
  { fault: text },
);

const plan = object({
  action: { enum: ["activate", "remove"] },
  root: text,
  subject: text,
  identities: count,
  broken: count,
  breaks: list(hold),
  confirmation: text,
});

const forecast = object(
  {
    proxies: count,
    identities: count,
    ifRemoved: list(object({ role: text, keyId: text, proxies: count, identities: count, named: texts })),
  },
  { first: object({ at: time, spiffeId: text }), half: time, last: time },
);

const keyId = {
  type: "string",
  pattern: "^[0-9a-f]{1,64}$",
  description: "Key id of a root, hexadecimal, or the beginning of it.",
} as const;

export const rootSchemas = {
  status: {
    summary: "The roots, and what holds up the next steps of their replacement.",
    response: { 200: rotation, ...faults },
  },
  rotate: {
    summary: "Makes a new root, or goes on with the one that is on its way.",
    response: { 200: rotation, ...faults },
  },
  abort: { summary: "Withdraws the root that is on its way.", response: { 200: rotation, ...faults } },
  waive: {
    summary: "The root that is on its way need not wait for an identity.",
    body: object({ spiffeId, reason }),
    response: { 200: rotation, ...faults },
  },
  plan: {
    summary: "What would be done without waiting, who breaks by it, and what is to be typed to have it done.",
    querystring: object({}, { remove: keyId }),
    response: { 200: plan, ...faults },
  },
  force: {
    summary: "Does what the plan says, for the text that it asks for.",
    body: object({ confirmation: { type: "string", minLength: 1, maxLength: 200 } }, { remove: keyId }),
    response: { 200: rotation, ...faults },
  },
  forecast: {
    summary: "When proxies break if nothing is issued any more, and who breaks if an authority is removed.",
    response: { 200: forecast, ...faults },
  },
} as const;
