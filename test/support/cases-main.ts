import { answerFile } from "./cases/answer-file.ts";

/**
 * `npm run cases -- FILE...`: answers every case of the files (`.jsonl`, `.jsonl.gz`), one line of JSON a case, in order.
 * The time taken goes to standard error, and so does every case that could not be answered; then the exit status is 1.
 */
const files = process.argv.slice(2);
if (files.length === 0) {
  console.error("usage: npm run cases -- FILE...  (.jsonl or .jsonl.gz, one policy set or case a line)");
  process.exitCode = 2;
} else {
  const started = performance.now();
  let answered = 0;
  for (const file of files) {
    const tally = await answerFile(file, process.stdout, (name, fault) => console.error(`${name}:`, fault));
    answered += tally.answered;
    if (tally.failed > 0) process.exitCode = 1;
  }
  console.error(`${answered} cases in ${((performance.now() - started) / 1000).toFixed(1)} s`);
}
