import { openSqliteStore } from "#ca/store/sqlite/open";
import { silentLog } from "#test/support/ca/silent-log";
import { completionOf, intentOf, noonMillis, tokenOf } from "#test/support/ca/store-records";

/**
 * A program that issues until it is killed: `store-child.ts FILE FIRST`. Says `opened`, then each record that was acknowledged, one a line: `intent N`, `completion N`; numbers that divide by three
 * redeem token N.
 */
const [file, first] = process.argv.slice(2);
if (file === undefined || first === undefined) throw new Error("usage: store-child.ts FILE FIRST");

try {
  const store = await openSqliteStore({ file, nowMillis: () => noonMillis, log: silentLog });
  process.stdout.write("opened\n");
  let next = Number(first);
  const issue = async (): Promise<never> => {
    for (;;) {
      const n = next++;
      if (n % 3 === 0) await store.addJoinToken(tokenOf(n));
      const redeem = n % 3 === 0 ? { tokenHash: tokenOf(n).hash, remoteAddress: undefined } : undefined;
      const intent = await store.recordIntent(intentOf(n), redeem);
      if (!intent.ok) throw new Error(`intent ${n}: ${intent.fault}`);
      process.stdout.write(`intent ${n}\n`);
      await store.recordCompletion(completionOf(n));
      process.stdout.write(`completion ${n}\n`);
    }
  };
  await Promise.all(Array.from({ length: 8 }, issue));
} catch (fault) {
  process.stdout.write(`failed ${Reflect.get(Object(fault), "code")} ${fault}\n`);
  process.exitCode = 1;
}
