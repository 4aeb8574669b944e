import type { Sync } from "#authz/rulesets/sync";
import type { AdminParts, SyncAnswer } from "#authz/transport/admin/contract";
import { CodedError, messageOf } from "#platform/coded-error";
import type { Log } from "#platform/log";

/** What operators may ask of the rules: which are in force is told with every answer. `rules`: those of now. */
export function answerRules(rules: () => Sync, log: Log): Pick<AdminParts, "sync" | "pin" | "unpin"> {
  const inForce = (): Omit<SyncAnswer, "result"> => {
    const { active, degraded, pinned, candidate, current } = rules().status();
    return {
      ok: current,
      digest: active?.digest,
      ...active?.revision,
      pinnedUntilMillis: pinned?.untilMillis,
      code: candidate?.code,
      message: degraded?.reason ?? candidate?.message,
      refused: candidate?.revision,
    };
  };
  return {
    async sync() {
      const result = await rules().load();
      return { ...inForce(), result };
    },
    async pin({ commit, forSeconds }) {
      const fault = await rules().pin({ commit, durationMillis: forSeconds * 1000 });
      if (fault === undefined)
        return { ...inForce(), ok: true, result: "activated", code: undefined, message: undefined };
      log.warn({ commit, code: fault.code }, `the pin is refused: ${fault.message}`);
      const { code, message, revision } = fault;
      return { ...inForce(), ok: false, result: "refused", code, message, refused: revision };
    },
    async unpin() {
      try {
        const result = await rules().unpin();
        return { ...inForce(), result };
      } catch (fault) {
        const code = fault instanceof CodedError ? fault.code : undefined;
        const message = messageOf(fault);
        return { ...inForce(), ok: false, result: "refused", code, message, refused: undefined };
      }
    },
  };
}
