import { openScene, newCsr, webId, operator } from "#test/support/ca/scene";
const scene = await openScene();
const { csrPem } = newCsr();
const run = async (n: number) => {
  const t = performance.now(); const c0 = process.cpuUsage(); const th=process.threadCpuUsage(); const tr=scene.store.counters.transactions();
  await Promise.all(Array.from({length: n}, () => scene.issue({ csrPem, credentials: operator, spiffeId: webId })));
  const c = process.cpuUsage(c0); const th1=process.threadCpuUsage(th); const ms = performance.now() - t;
  console.log((n / ms*1000).toFixed(0), "/s", ((c.user+c.system)/n).toFixed(0), "us cpu each, main thread", ((th1.user+th1.system)/n).toFixed(0), "transactions", scene.store.counters.transactions()-tr, "ms per tx", (ms/(scene.store.counters.transactions()-tr)).toFixed(2));
};
for (let i=0;i<6;i++) await run(2000);
await scene.close();
