import { execFile } from "node:child_process";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { TestContext } from "node:test";
import { promisify } from "node:util";
import { tempFolder } from "#test/support/service/temp-folder";

const run = promisify(execFile);

export interface TestRepository {
  readonly folder: string;
  readonly url: string;
  /** What git is run with: nothing of the user's git counts. */
  readonly environment: Readonly<Record<string, string>>;
  /** Runs git in it; its output without the last line break. */
  git(...args: readonly string[]): Promise<string>;
  /** Commits files (undefined: removed) and tells the commit's name. */
  commit(
    files: Readonly<Record<string, string | undefined>>,
    subject?: string,
    ...more: readonly string[]
  ): Promise<string>;
}

const author = {
  GIT_AUTHOR_NAME: "Ada",
  GIT_AUTHOR_EMAIL: "ada@example.org",
  GIT_COMMITTER_NAME: "Ada",
  GIT_COMMITTER_EMAIL: "ada@example.org",
};

/** An empty repository whose branch is `main`, gone when the test is over. */
export async function testRepository(
  t: TestContext,
  environment: Record<string, string> = {},
): Promise<TestRepository> {
  const folder = await tempFolder(t);
  const user = { PATH: process.env["PATH"] ?? "", HOME: folder, XDG_CONFIG_HOME: folder, GIT_CONFIG_NOSYSTEM: "1" };
  const own = { ...user, ...author, ...environment };
  const git = async (...args: readonly string[]) =>
    (await run("git", [...args], { cwd: folder, env: own, maxBuffer: 1024 ** 3 })).stdout.replace(/\n$/, "");
  await git("init", "--quiet", "--initial-branch=main", ".");
  await git("config", "uploadpack.allowFilter", "true");
  return {
    folder,
    url: `file://${folder}`,
    environment: own,
    git,
    async commit(files, subject = "a change", ...more) {
      for (const [path, text] of Object.entries(files)) {
        const place = join(folder, path);
        await mkdir(dirname(place), { recursive: true });
        if (text === undefined) await rm(place);
        else await writeFile(place, text);
      }
      await git("add", "--all", ".");
      await git("commit", "--quiet", "--allow-empty", "-m", subject, ...more);
      return git("rev-parse", "HEAD");
    },
  };
}

/** An AuthorizationPolicy that allows a path. */
export function allowing(path: string, name = "a"): string {
  return `apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: ${name}, namespace: shop }
spec: { action: ALLOW, rules: [{ to: [{ operation: { paths: ["${path}"] } }] }] }
`;
}
