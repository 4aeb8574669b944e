import { answerFile } from "./cases/answer-file.ts";

/**
 * `npm run cases -- FILE...`: answers every case of the files (`.jsonl`, `.jsonl.gz`), one line of JSON a case, in order.
 * The time taken goes to standard error.
 */
const files = process.argv.slice(2);
if (files.length === 0) {
  console.error("usage: npm run cases -- FILE...  (.jsonl or .jsonl.gz, one policy set or case a line)");
  process.exitCode = 2;
} else {
  const started = performance.now();
  let count = 0;
  for (const file of files) count += await answerFile(file, process.stdout);
  console.error(`${count} cases in ${((performance.now() - started) / 1000).toFixed(1)} s`);
}
