import { writeFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { findEnvoy } from "#test/support/envoy/find-envoy";
import { tokenCorpus } from "#test/support/tokens/corpus";
import { envoyVerdicts } from "#test/support/tokens/envoy-verdicts";
import { recordFile } from "#test/support/tokens/recorded-verdicts";

/** Writes down what a real Envoy says of every token of the corpus. */
const envoy = await findEnvoy();
if (!envoy.ok) throw new Error(envoy.reason);
const corpus = [...tokenCorpus()];
const verdicts = await envoyVerdicts(envoy.binary, corpus);
const record = Object.fromEntries(corpus.map(({ name }, i) => [name, verdicts[i]]));
if (Object.keys(record).length !== corpus.length) throw new Error("two tokens have one name");
writeFileSync(recordFile, gzipSync(JSON.stringify(record), { level: 9 }));
console.log(`${corpus.length} tokens`);
