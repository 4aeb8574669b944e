import { isDeepStrictEqual } from "node:util";
import type { Turns } from "#authz/rulesets/turns";
import { messageOf } from "#platform/coded-error";
import type { LogOutput } from "#platform/log";
import type { ServiceConfig } from "../config/model.ts";
import { prepareAdmin } from "./admin-doors.ts";
import type { AdminSwitch } from "./admin-switch.ts";
import type { AuthoritySwitch } from "./authority/switch.ts";
import type { ListenerSet } from "./listener-set.ts";
import type { Outside } from "./outside.ts";
import { prepareListener } from "./prepare-listener.ts";
import type { Revocations } from "./revocations/contract.ts";
import type { RulesSwitch } from "./rules-switch.ts";
import { prepareWebhook, type WebhookDoor } from "./webhook-door.ts";

/** What a configuration can change. */
export interface Changeable {
  readonly rules: RulesSwitch;
  readonly outside: Outside;
  readonly authority: AuthoritySwitch;
  readonly revocations: Revocations;
  readonly listeners: ListenerSet;
  readonly admin: AdminSwitch;
  readonly webhook: WebhookDoor;
  readonly log: LogOutput;
  /** Changes are made in turns, so that an end can wait for one. */
  readonly turns: Turns<void>;
  readonly ending: () => boolean;
}

/**
 * Puts the first configuration in force; rules are loaded, and nothing is followed yet. Fails with the coded error of a file or socket that cannot be used: what was opened
 * before is left to the end of the service.
 */
export async function applyFirst(config: ServiceConfig, parts: Changeable): Promise<void> {
  const { rules, authority, revocations, listeners, admin, webhook } = parts;
  // ORDER: rules before sockets, so that nobody is denied for want of rules that are only a moment away.
  const [wanted] = await Promise.all([Promise.all(config.listeners.map(prepareListener)), rules.sync().load()]);
  const wantedAdmin = config.admin === undefined ? undefined : await prepareAdmin(config.admin);
  const wantedAuthority = await authority.prepare(config.ca, config.jwt);
  // ORDER: what is revoked before sockets too, so that nobody is let in because the list is only a moment away.
  await authority.become(wantedAuthority);
  await revocations.become(config.revocations, config.ca !== undefined);
  await listeners.become(wanted);
  await admin.become(wantedAdmin);
  await webhook.become(await webhookOf(config));
}

/**
 * Puts another configuration in force, all of it or nothing: then what was in force is again, and the fault is thrown. A service that is about to end does not change. ORDER: everything is read and looked at before anything
 * is changed; sockets, which can still fail, come before the rest, and those that decide requests last: what fails before has not touched them.
 */
export async function applyConfig(next: ServiceConfig, inForce: ServiceConfig, parts: Changeable): Promise<void> {
  const { rules, outside, authority, revocations, listeners, admin, webhook, log, turns } = parts;
  const [wanted, wantedAdmin, jwt, wantedAuthority, wantedWebhook] = await Promise.all([
    Promise.all(next.listeners.map(prepareListener)),
    next.admin === undefined ? undefined : prepareAdmin(next.admin),
    outside.prepare(next.jwt),
    authority.prepare(next.ca, next.jwt),
    webhookOf(next),
  ]);
  const nextRules = await rules.prepare(next.policies);
  const giveUp = async (fault: unknown): Promise<never> => {
    await nextRules?.sync.stop();
    rules.settle();
    throw fault;
  };
  if (nextRules !== undefined && (await nextRules.sync.load()) === "refused") {
    await giveUp(new Error(`its policies cannot come into force: ${nextRules.sync.status().candidate?.message}`));
  }
  await turns.take(async () => {
    if (parts.ending()) await giveUp(new Error("the service is about to end"));
    const [oldAdmin, oldAuthority, oldWebhook] = [admin.wanted(), authority.wanted(), webhook.wanted()];
    try {
      await webhook.become(wantedWebhook);
      await admin.become(wantedAdmin);
      await authority.become(wantedAuthority);
      await revocations.become(next.revocations, next.ca !== undefined);
      await listeners.become(wanted);
    } catch (fault) {
      const back = async (what: string, become: () => Promise<void>) =>
        become().catch((again: unknown) => log.log.error({ fault: messageOf(again) }, `${what} is not back`));
      await back("the certificate authority", () => authority.become(oldAuthority));
      await back("the deny list", () => revocations.become(inForce.revocations, inForce.ca !== undefined));
      await back("the admin API", () => admin.become(oldAdmin));
      await back("the listener for webhooks", () => webhook.become(oldWebhook));
      await giveUp(fault);
    }
    if (nextRules !== undefined) await rules.become(nextRules);
    log.setLevel(next.logging.level);
    if (jwt.fetching !== undefined || !isDeepStrictEqual(next.jwt, inForce.jwt)) outside.use(jwt);
  });
}

async function webhookOf({ policies }: ServiceConfig) {
  return "git" in policies && policies.git.webhook !== undefined ? prepareWebhook(policies.git.webhook) : undefined;
}
