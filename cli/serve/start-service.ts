import type { CheckEnvironment } from "#authz/check/contract";
import { createLackingWatch } from "#authz/decision-log/lacking";
import { createObserver } from "#authz/decision-log/observe";
import { createTurns } from "#authz/rulesets/turns";
import { createLifecycle } from "#platform/lifecycle";
import { createAdminSwitch } from "./admin-switch.ts";
import { answerRules } from "./answer-rules.ts";
import { applyConfig, applyFirst, type Changeable } from "./apply-config.ts";
import { ConfigRefused, type Service, type ServiceParts } from "./contract.ts";
import { followFiles } from "./follow-files.ts";
import { createHealth } from "./health.ts";
import { createListenerSet } from "./listener-set.ts";
import { logWarnings } from "./log-warnings.ts";
import { createReload } from "./reload.ts";
import { createRulesSwitch } from "./rules-switch.ts";
import { certificateWarnings, servedCertificates } from "./served-certificates.ts";
import { addServiceMetrics } from "./service-metrics.ts";
import { startListener } from "./start-listener.ts";
import { renderStatusPage } from "./status-page.ts";
import { serviceWarnings } from "./warnings.ts";
import { createWebhookDoor } from "./webhook-door.ts";

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
  let ending = false;

  const health = createHealth(() => rules.sync().status().ready && revocations.ready() && !ending);
  const outside = parts.createOutside({
    clock,
    log: log.log,
    metrics,
    onKeys: (keySets) => rules.renewKeys(keySets),
  });
  outside.use(await outside.prepare(config.jwt));
  const revocations = parts.createRevocations({
    onList() {
      rules.renewDenyList();
      health.tell();
    },
  });
  const { onLoad } = addServiceMetrics(metrics, () => ({
    rules: rules.sync().status(),
    certificates: certificates(),
    nowMillis: clock.nowMillis(),
  }));
  const rules = await createRulesSwitch(config.policies, {
    ...parts,
    outside,
    denyList: revocations.inForce,
    onLoad,
    onChange: health.tell,
  });
  const { snapshot } = rules;
  const authority = parts.createAuthority(() => snapshot()?.engine.ruleSet, revocations.own);

  const environment: CheckEnvironment = {
    snapshot,
    nextId: parts.nextId,
    nowMillis: clock.nowMillis,
    tokens: outside.tokens,
  };
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

  const certificates = () => servedCertificates(changeable);
  const doorWarnings = () => [
    ...serviceWarnings(listeners.running.map(({ prepared }) => prepared)),
    ...certificateWarnings(certificates(), clock.nowMillis()),
  ];
  const warningLog = logWarnings(doorWarnings, log.log, parts.timers);
  const status = () =>
    renderStatusPage({
      ...changeable,
      version: parts.version,
      startedMillis,
      ending,
      configuration: reload.status(),
      doorWarnings: doorWarnings(),
      lacking,
    });

  const webhook = createWebhookDoor({
    clock,
    timers: parts.timers,
    metrics,
    log: log.log,
    onHint: () => void rules.sync().load(),
  });
  const admin = createAdminSwitch(
    {
      status,
      metrics: () => metrics.render(),
      explain: (description) => parts.explain(description, environment),
      reload: () => reload.read(true),
      ...answerRules(rules.sync, log.log),
    },
    log.log,
  );
  const turns = createTurns<void>();
  const changeable: Changeable = {
    rules,
    outside,
    authority,
    revocations,
    listeners,
    admin,
    webhook,
    log,
    turns,
    ending: () => ending,
  };
  const reload = createReload({
    loadConfig: parts.loadConfig,
    configFile: parts.configFile,
    clock,
    log: log.log,
    loadedMillis: startedMillis,
    ending: () => ending,
    async apply(next) {
      await applyConfig(next, config, changeable);
      config = next;
      warningLog.tell();
    },
    async renew(asked) {
      // Whoever has withdrawn a key need not wait for the next refresh. Not awaited: an issuer may take its time, and the status tells.
      if (asked) void outside.refreshKeys();
      await files.follow(config);
      const refused = (await rules.sync().load()) === "refused";
      return refused ? (rules.sync().status().candidate?.message ?? "") : undefined;
    },
  });
  const files = followFiles(parts.configFile, () => {
    void reload.read(false);
  });

  const lifecycle = createLifecycle(log.log);
  lifecycle.add({ name: "rules", stop: () => rules.stop() });
  lifecycle.add({ name: "outside", stop: () => outside.stop() });
  lifecycle.add({ name: "revocations", stop: () => revocations.stop() });
  lifecycle.add({ name: "authority", stop: (deadline) => authority.stop(deadline) });
  lifecycle.add({ name: "warnings", stop: async () => warningLog.stop() });
  lifecycle.add({ name: "webhook", stop: (deadline) => webhook.stop(deadline) });
  lifecycle.add({ name: "files", stop: () => files.stop() });
  lifecycle.add({ name: "admin", stop: (deadline) => admin.stop(deadline) });
  lifecycle.add({ name: "listeners", stop: (deadline) => listeners.stop(deadline) });
  try {
    await applyFirst(config, changeable);
    warningLog.tell();
    await Promise.all([rules.sync().follow(), files.follow(config)]);
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
    reload: () => reload.read(true),
    async stop({ lingerMillis, deadlineMillis }) {
      if (!ending) {
        ending = true;
        health.tell();
        listeners.announceEnd();
        if (lingerMillis > 0) await new Promise((resolve) => setTimeout(resolve, lingerMillis));
      }
      // What a change that is under way opens is to be closed too.
      const late = Promise.withResolvers<void>();
      const cancel = parts.timers.after(deadlineMillis, late.resolve);
      await Promise.race([turns.take(async () => undefined), late.promise]);
      cancel();
      await lifecycle.stop(deadlineMillis);
    },
  };
}
