import { isDeepStrictEqual } from "node:util";
import type { CheckEnvironment } from "#authz/check/contract";
import { createLackingWatch } from "#authz/decision-log/lacking";
import { createObserver } from "#authz/decision-log/observe";
import type { RuleSource } from "#authz/rulesets/build";
import { createHolder, type Holder } from "#authz/rulesets/holder";
import type { StalenessSettings } from "#authz/rulesets/staleness";
import { createSync, type Sync } from "#authz/rulesets/sync";
import type { StatusPage } from "#authz/transport/admin/contract";
import type { Health } from "#authz/transport/grpc/health";
import { renderAddress } from "#platform/address";
import { messageOf } from "#platform/coded-error";
import { createLifecycle } from "#platform/lifecycle";
import { renderFinding } from "../config/codes.ts";
import type { ServiceConfig } from "../config/model.ts";
import { prepareAdmin } from "./admin-doors.ts";
import { createAdminSwitch } from "./admin-switch.ts";
import { answerRules } from "./answer-rules.ts";
import { ConfigRefused, type ReloadResult, type Service, type ServiceParts } from "./contract.ts";
import { followFiles } from "./follow-files.ts";
import { issuerWarnings } from "./issuer-warnings.ts";
import { createListenerSet } from "./listener-set.ts";
import { prepareListener } from "./prepare-listener.ts";
import { providerWarnings } from "./provider-reports.ts";
import { ruleWarnings } from "./rule-warnings.ts";
import { addServiceMetrics } from "./service-metrics.ts";
import { sourceWarnings } from "./source-warnings.ts";
import { startListener } from "./start-listener.ts";
import { serviceWarnings } from "./warnings.ts";
import { createWebhookDoor, prepareWebhook } from "./webhook-door.ts";

interface Rules {
  readonly sync: Sync;
  readonly holder: Holder;
}

/** What rules depend on. */
function sourceOf({ policies }: ServiceConfig): object {
  return "git" in policies ? { ...policies.git, webhook: undefined } : policies;
}

async function webhookOf({ policies }: ServiceConfig) {
  return "git" in policies && policies.git.webhook !== undefined ? prepareWebhook(policies.git.webhook) : undefined;
}

/**
 * Starts everything that `garita serve` is. Resolves when every listener answers and the first attempt to load rules is over.
 * Policies that are not valid do not keep it from starting: it denies until they are. Fails with `ConfigRefused`, or the coded error of a
 * file or socket that cannot be used.
 */
export async function startService(parts: ServiceParts): Promise<Service> {
  const { clock, log, metrics } = parts;
  const startedMillis = clock.nowMillis();
  const first = await parts.loadConfig();
  if (!first.ok) throw new ConfigRefused(first.findings);
  let config = first.config;
  log.setLevel(config.logging.level);
  let loadedMillis = startedMillis;
  let configFault: StatusPage["configuration"]["fault"];
  /** What was told of a configuration that is refused: its text with what is wrong. */
  let refusalTold: string | undefined;
  let ending = false;

  const outside = parts.createOutside({
    clock,
    log: log.log,
    metrics,
    onKeys: (keySets) => rules.holder.renewKeys(keySets),
  });
  outside.use(await outside.prepare(config.jwt));
  // A source and what it has put in force go together, so that a changed source comes into force by one assignment too.
  let rules: Rules;
  const snapshot = () => rules.holder.snapshot();
  const environment: CheckEnvironment = {
    snapshot,
    nextId: parts.nextId,
    nowMillis: clock.nowMillis,
    tokens: outside.tokens,
  };
  const healthListeners = new Set<() => void>();
  const health: Health = {
    serving: () => rules.sync.status().ready && revocations.ready() && !ending,
    onChange(listener) {
      healthListeners.add(listener);
      return () => healthListeners.delete(listener);
    },
  };
  const tellHealth = () => {
    for (const listener of healthListeners) listener();
  };

  const revocations = parts.createRevocations({
    onList() {
      rules.holder.renewDenyList();
      tellHealth();
    },
  });
  const serviceMetrics = addServiceMetrics(metrics, () => ({
    rules: rules.sync.status(),
    nowMillis: clock.nowMillis(),
  }));
  const createSource = async (policies: ServiceConfig["policies"]): Promise<RuleSource> => {
    if ("git" in policies) return parts.createGitSource(policies.git.settings, log.log);
    if ("bundle" in policies) return parts.createBundleSource(policies.bundle.settings, log.log);
    return parts.createSource(policies);
  };
  const createRules = async (policies: ServiceConfig["policies"]): Promise<Rules> => {
    const holder = createHolder(revocations.inForce);
    const sync = createSync({
      source: await createSource(policies),
      holder,
      prepare: parts.prepare,
      equip: outside.equip,
      nowMillis: clock.nowMillis,
      timers: parts.timers,
      staleness: stalenessOf(policies),
      log: log.log,
      onLoad: serviceMetrics.onLoad,
    });
    sync.onChange(() => {
      settle();
      tellHealth();
    });
    return { sync, holder };
  };
  /** INVARIANT: whatever was on its way, and came into force or not: the rules in force have their issuers followed, and the newest keys. */
  const settle = () => {
    const inForce = snapshot();
    if (inForce !== undefined) rules.holder.swap(outside.settle(inForce));
  };
  rules = await createRules(config.policies);

  const authority = parts.createAuthority(() => snapshot()?.engine.ruleSet, revocations.own);

  const observeDecision = createObserver(metrics, log.log);
  const lacking = createLackingWatch(
    (name) => listeners.running.find(({ listener }) => listener.name === name)?.prepared.settings,
  );
  const listeners = createListenerSet(
    startListener({
      grpcCheck: parts.createGrpcCheck(environment),
      httpCheck: parts.createHttpCheck(environment),
      health,
      observe(record, durationMillis) {
        observeDecision(record, durationMillis);
        lacking.observe(record);
      },
      log: log.log,
      monotonicMillis: clock.monotonicMillis,
    }),
    log.log,
  );

  const listenerWarnings = () =>
    serviceWarnings(
      listeners.running.map(({ prepared }) => prepared),
      clock.nowMillis(),
    );
  let logged: readonly string[] = [];
  /** Each once, for as long as it holds. */
  const logWarnings = () => {
    const warnings = listenerWarnings();
    for (const warning of warnings) if (!logged.includes(warning)) log.log.warn(warning);
    logged = warnings;
  };
  const activeRuleWarnings = (): string[] => {
    const inForce = snapshot();
    return inForce === undefined ? [] : ruleWarnings(inForce.engine.ruleSet);
  };
  const status = (): StatusPage => ({
    version: parts.version,
    node: process.versions.node,
    startedMillis,
    ending,
    rules: rules.sync.status(),
    issuers: outside.issuers(),
    providers: outside.providers(),
    authority: authority.summary(),
    revocations: revocations.status(),
    listeners: listeners.running.map(({ prepared, listener }) => ({
      name: listener.name,
      protocol: prepared.config.protocol,
      address: renderAddress(listener.address),
      tls: prepared.tls !== undefined,
      certificateNotAfterMillis: prepared.tls?.notAfterMillis,
    })),
    configuration: { file: parts.configFile, loadedMillis, fault: configFault },
    droppedLogLines: log.dropped(),
    warnings: [
      ...sourceWarnings(rules.sync.status(), configFault),
      ...listenerWarnings(),
      ...activeRuleWarnings(),
      ...issuerWarnings(outside.issuers()),
      ...providerWarnings(outside.providers()),
      ...lacking.warnings(),
      ...revocations.warnings(),
      ...(authority.summary()?.warnings ?? []),
    ],
  });

  const webhook = createWebhookDoor({
    clock,
    timers: parts.timers,
    metrics,
    log: log.log,
    onHint: () => void rules.sync.load(),
  });
  const admin = createAdminSwitch(
    {
      status,
      metrics: () => metrics.render(),
      explain: (description) => parts.explain(description, environment),
      reload: () => reload(),
      ...answerRules(() => rules.sync, log.log),
    },
    log.log,
  );

  /**
   * ORDER: everything is read and looked at before anything is changed; sockets, which can still fail, come before the rest, and those that decide requests last: what
   * fails before has not touched them.
   */
  const apply = async (next: ServiceConfig): Promise<void> => {
    const [wanted, wantedAdmin, jwt, wantedAuthority, wantedWebhook] = await Promise.all([
      Promise.all(next.listeners.map(prepareListener)),
      next.admin === undefined ? undefined : prepareAdmin(next.admin),
      outside.prepare(next.jwt),
      authority.prepare(next.ca, next.jwt),
      webhookOf(next),
    ]);
    const nextRules = isDeepStrictEqual(sourceOf(next), sourceOf(config))
      ? undefined
      : await createRules(next.policies);
    const oldAdmin = admin.wanted();
    const oldAuthority = authority.wanted();
    const oldWebhook = webhook.wanted();
    try {
      if (nextRules !== undefined && (await nextRules.sync.load()) === "refused") {
        throw new Error(`the policies are not valid: ${nextRules.sync.status().candidate?.message}`);
      }
      await webhook.become(wantedWebhook);
      await admin.become(wantedAdmin);
      await authority.become(wantedAuthority);
      await revocations.become(next.revocations, next.ca !== undefined);
      await listeners.become(wanted);
    } catch (fault) {
      await nextRules?.sync.stop();
      settle();
      await authority
        .become(oldAuthority)
        .catch((again: unknown) => log.log.error({ fault: messageOf(again) }, "the certificate authority is not back"));
      await revocations.become(config.revocations, config.ca !== undefined);
      await admin.become(oldAdmin);
      await webhook.become(oldWebhook);
      throw fault;
    }
    if (nextRules !== undefined) {
      const old = rules;
      rules = nextRules;
      settle();
      tellHealth();
      await old.sync.stop();
      await rules.sync.follow();
    }
    log.setLevel(next.logging.level);
    if (jwt.fetching !== undefined || !isDeepStrictEqual(next.jwt, config.jwt)) outside.use(jwt);
    config = next;
    logWarnings();
  };

  const attemptReload = async (asked: boolean): Promise<ReloadResult> => {
    if (ending) return { ok: false, messages: ["the service is about to end"] };
    const messages: string[] = [];
    const loaded = await parts.loadConfig();
    if (!loaded.ok) messages.push(...loaded.findings.map(renderFinding));
    else {
      try {
        await apply(loaded.config);
      } catch (fault) {
        messages.push(messageOf(fault));
      }
    }
    if (messages.length === 0) {
      loadedMillis = clock.nowMillis();
      configFault = undefined;
      refusalTold = undefined;
      log.log.info({ file: parts.configFile }, "configuration in force");
    } else {
      // A copy: what follows about the policies is another fault.
      configFault = { atMillis: clock.nowMillis(), messages: [...messages] };
      // One edit leads to several readings, and certificates are exchanged beside a configuration that stays wrong.
      const told = JSON.stringify([loaded.text, messages]);
      if (told !== refusalTold) {
        log.log.error({ file: parts.configFile, messages }, "the configuration is refused, the old one stays in force");
      } else if (asked) log.log.info({ file: parts.configFile }, "the configuration is still refused");
      refusalTold = told;
    }
    // Whoever has withdrawn a key need not wait for the next refresh. Not awaited: an issuer may take its time, and the status tells.
    if (asked) void outside.refreshKeys();
    await files.follow(config);
    if ((await rules.sync.load()) === "refused") messages.push(rules.sync.status().candidate?.message ?? "");
    return { ok: messages.length === 0, messages };
  };
  let reloading: Promise<unknown> = Promise.resolve();
  const readAgain = (asked: boolean): Promise<ReloadResult> => {
    const result = reloading.then(() => attemptReload(asked));
    reloading = result.catch(() => undefined);
    return result;
  };
  const reload = () => readAgain(true);
  const files = followFiles(parts.configFile, () => {
    void readAgain(false);
  });

  const lifecycle = createLifecycle(log.log);
  lifecycle.add({ name: "rules", stop: () => rules.sync.stop() });
  lifecycle.add({ name: "outside", stop: () => outside.stop() });
  lifecycle.add({ name: "revocations", stop: () => revocations.stop() });
  lifecycle.add({ name: "authority", stop: (deadline) => authority.stop(deadline) });
  lifecycle.add({ name: "webhook", stop: (deadline) => webhook.stop(deadline) });
  lifecycle.add({ name: "files", stop: () => files.stop() });
  lifecycle.add({ name: "admin", stop: (deadline) => admin.stop(deadline) });
  lifecycle.add({ name: "listeners", stop: (deadline) => listeners.stop(deadline) });
  try {
    // ORDER: rules before sockets, so that nobody is denied for want of rules that are only a moment away.
    const [wanted] = await Promise.all([Promise.all(config.listeners.map(prepareListener)), rules.sync.load()]);
    const wantedAdmin = config.admin === undefined ? undefined : await prepareAdmin(config.admin);
    const wantedAuthority = await authority.prepare(config.ca, config.jwt);
    // ORDER: what is revoked before sockets too, so that nobody is let in because the list is only a moment away.
    await authority.become(wantedAuthority);
    await revocations.become(config.revocations, config.ca !== undefined);
    await listeners.become(wanted);
    await admin.become(wantedAdmin);
    await webhook.become(await webhookOf(config));
    logWarnings();
    await Promise.all([rules.sync.follow(), files.follow(config)]);
  } catch (fault) {
    await lifecycle.stop(0);
    throw fault;
  }

  return {
    addresses: () => new Map(listeners.running.map(({ listener }) => [listener.name, listener.address])),
    webhookAddress: () => webhook.address(),
    adminAddresses: () => admin.addresses(),
    authorityAddresses: () => authority.addresses(),
    status,
    reload,
    async stop({ lingerMillis, deadlineMillis }) {
      if (!ending) {
        ending = true;
        tellHealth();
        listeners.announceEnd();
        if (lingerMillis > 0) await new Promise((resolve) => setTimeout(resolve, lingerMillis));
      }
      await lifecycle.stop(deadlineMillis);
    },
  };
}

/** A folder is watched: its rules are never too old. */
function stalenessOf(policies: ServiceConfig["policies"]): StalenessSettings | undefined {
  if ("git" in policies) return policies.git.staleness;
  return "bundle" in policies ? policies.bundle.staleness : undefined;
}
