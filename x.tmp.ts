import { startGarita, startServer } from "#bench/server";
import { sendChecks } from "#bench/grpc-load";
import { meshFolder } from "#bench/policies";
import { benchRequest } from "#bench/request";
import { cpuNanos } from "#bench/cpu";
const messages = Array.from({ length: 1000 }, (_, i) => i).filter((i) => i % 7 !== 3).slice(0, 200).map(benchRequest);
const N=20000;
const c = await startServer("bench/canned-server.ts", [], /listening on (\S+)/), g = await startGarita("cli/main.ts", meshFolder(1000));
for (let r=0;r<6;r++) { const out:number[]=[]; for (const s of [c,g]) { const b=cpuNanos(s.pid); await sendChecks({address:s.address,connections:4,streams:10,requests:N}, messages); out.push(((cpuNanos(s.pid)-b)/N/1000)); } console.log(out.map(x=>x.toFixed(1)).join(" "), (out[1]!/out[0]!).toFixed(2)); }
await g.stop(); await c.stop();
