import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import type {
  AgentCredential,
  AskAnswer,
  Attest,
  AuthorityLink,
  BundleOffer,
  BundleStanding,
  IdentitySettings,
} from "#ca/agent/contract";
import { type IdentityLife, startIdentity } from "#ca/agent/identity-life";
import { createStateFolder, type StateFolder } from "#ca/agent/state-folder";
import { parseCsr } from "#ca/csr/parse-csr";
import type { Certificate } from "#ca/x509/contract";
import { writePem } from "#ca/x509/pem";
import { parseSpiffeId, type SpiffeId } from "#identity/spiffe-id";
import { CodedError } from "#platform/coded-error";
import { recordLog } from "#test/support/ca/record-log";
import { createFakeTime, type FakeTime } from "#test/support/keys/fake-time";
import { afterAll } from "#test/support/service/after-all";
import { until } from "#test/support/until";
import { makeAuthority, makeLeaf, type TestAuthority } from "../make-certificate.ts";

export const hour = 3_600_000;
export const agentId = idOf("spiffe://cluster.local/ns/shop/sa/web");

export function idOf(text: string): SpiffeId {
  const parsed = parseSpiffeId(text);
  if (!parsed.ok) throw new Error(parsed.fault);
  return parsed.id;
}

export const pemOf = (certificates: readonly Certificate[]) =>
  certificates.map(({ der }) => writePem("CERTIFICATE", der)).join("");

/** One request that came to the scene's authority. */
export interface Asked {
  readonly credential: AgentCredential;
  /** SubjectPublicKeyInfo of the request, hex. */
  readonly key: string;
  readonly anchors: readonly Certificate[];
}

/** What the authority said to an offered bundle. */
export interface OfferedBundle {
  readonly pem: string;
  answer: "none" | "accepted" | string;
}

/** The life of one identity over a real folder, a stepped time, and an authority in memory that really signs. */
export interface LifeScene {
  readonly time: FakeTime;
  readonly folder: string;
  readonly lines: ReturnType<typeof recordLog>["lines"];
  /** What the authority signs with and gives out as its bundle. */
  root: TestAuthority;
  issuing: TestAuthority;
  bundle: readonly Certificate[];
  leafMillis: number;
  /** What the authority's clock adds to the machine's. */
  authorityAheadMillis: number;
  /** Undefined: there is none to attest with. */
  token: string | undefined;
  /** Instead of a certificate. */
  answer: ((asked: Asked) => AskAnswer | Promise<AskAnswer> | undefined) | undefined;
  standing: BundleStanding;
  readonly asked: Asked[];
  readonly links: { readonly credential: AgentCredential; readonly anchors: readonly Certificate[]; open: boolean }[];
  readonly offered: OfferedBundle[];
  /** Ends the stream of the link that was opened last: its certificate is not taken any more. */
  refuse(): void;
  /** Sends the bundle to the open link that follows. */
  push(certificates?: readonly Certificate[]): OfferedBundle;
  start(changes?: {
    readonly state?: (real: StateFolder) => StateFolder;
    readonly settings?: Partial<IdentitySettings>;
  }): Promise<IdentityLife>;
  /** For a step that never comes to its end: the life that was started last is not waited for any more. */
  hang(): Promise<never>;
  /** As `FakeTime.advance`, with room for keys to be made and files to be written. */
  pass(millis: number): Promise<void>;
  settle(): Promise<void>;
}

/** A life, and what it is at. */
interface SceneLife {
  readonly life: IdentityLife;
  readonly disk: Disk;
  hung: boolean;
}

/** So many reads and writes of a life run at this moment. */
interface Disk {
  running: number;
}

export function lifeScene(t: TestContext): LifeScene {
  const folder = mkdtempSync(join(tmpdir(), "garita-agent-"));
  afterAll(t, () => rmSync(folder, { recursive: true, force: true }));
  const time = createFakeTime(Date.now());
  const { log, lines } = recordLog();
  const longLived = { notAfterMillis: Date.now() + 1000 * hour, notBeforeMillis: Date.now() - 1000 * hour };
  const root = makeAuthority({ kind: "P-256", profile: "root" }, longLived);
  let follower: ((offer: BundleOffer) => void) | undefined;
  let refuseFollower = () => {};

  const sign = (csrPem: string): AskAnswer => {
    const parsed = parseCsr(csrPem);
    if (!parsed.ok) throw new Error(parsed.fault.message);
    const nowMillis = time.nowMillis() + scene.authorityAheadMillis;
    const leaf = makeLeaf(scene.issuing, {
      subjectPublicKeyDer: parsed.csr.publicKey.spkiDer,
      uri: agentId.toString(),
      notBeforeMillis: nowMillis - 120_000,
      notAfterMillis: nowMillis + scene.leafMillis,
    });
    return { ok: true, chain: [pemOf([leaf]), pemOf([scene.issuing.certificate]), pemOf(scene.bundle)] };
  };
  const openLink = (anchors: readonly Certificate[], credential: AgentCredential): AuthorityLink => {
    const link = { credential, anchors, open: true };
    let ownFollower: typeof follower;
    scene.links.push(link);
    return {
      async request(csrPem) {
        const parsed = parseCsr(csrPem);
        if (!parsed.ok) throw new Error(parsed.fault.message);
        const asked = { credential, key: Buffer.from(parsed.csr.publicKey.spkiDer).toString("hex"), anchors };
        scene.asked.push(asked);
        return (await scene.answer?.(asked)) ?? sign(csrPem);
      },
      followBundle(heard, refused) {
        ownFollower = heard;
        follower = heard;
        refuseFollower = refused;
      },
      close() {
        link.open = false;
        if (follower === ownFollower) follower = undefined;
      },
    };
  };
  const attest: Attest = async (known) => {
    if (scene.token === undefined) throw new CodedError("agent/attestation", "no token");
    return { token: scene.token, anchors: known?.anchors ?? [scene.root.certificate] };
  };
  const lives: SceneLife[] = [];
  /** It neither asks nor reads or writes: what comes next comes with time. */
  const isSettled = ({ life, disk, hung }: SceneLife) =>
    hung || (disk.running === 0 && life.status().nextMillis !== undefined);
  t.after(() => Promise.all(lives.map(({ hung, life }) => (hung ? void life.stop() : life.stop()))));
  const scene: LifeScene = {
    time,
    folder,
    lines,
    root,
    issuing: makeAuthority({ kind: "P-256", profile: "issuing", issuer: root }, longLived),
    bundle: [root.certificate],
    leafMillis: 24 * hour,
    authorityAheadMillis: 0,
    answer: undefined,
    standing: { waiting: 0, rejected: undefined },
    token: "a token",
    asked: [],
    links: [],
    offered: [],
    refuse: () => refuseFollower(),
    push(certificates = scene.bundle) {
      const offered: OfferedBundle = { pem: pemOf(certificates), answer: "none" };
      scene.offered.push(offered);
      follower?.({
        pem: offered.pem,
        accept() {
          offered.answer = "accepted";
        },
        reject(message) {
          offered.answer = message;
        },
      });
      return offered;
    },
    async start({ state = (real: StateFolder) => real, settings = {} } = {}) {
      const disk: Disk = { running: 0 };
      const life = await startIdentity({
        settings: { spiffeId: agentId, keyKind: "P-256", ttlSeconds: undefined, ...settings },
        state: watched(state(createStateFolder(join(folder, "web"), agentId)), disk),
        openLink,
        attest,
        standing: () => scene.standing,
        clock: time,
        timers: time,
        chance: () => 0.5,
        log,
      });
      lives.push({ life, disk, hung: false });
      life.look();
      await scene.settle();
      return life;
    },
    hang() {
      lives.at(-1)!.hung = true;
      return new Promise(() => undefined);
    },
    async pass(millis) {
      for (let left = millis; left > 0; left -= 5_000) {
        await time.advance(Math.min(left, 5_000));
        if (!lives.every(isSettled)) await scene.settle();
      }
    },
    async settle() {
      // Keys are made and files written in threads that no stepped time knows.
      for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
      await until(() => lives.every(isSettled));
    },
  };
  return scene;
}

function watched(state: StateFolder, disk: Disk): StateFolder {
  const watch =
    <A extends readonly unknown[], R>(method: (...args: A) => Promise<R>) =>
    async (...args: A): Promise<R> => {
      disk.running++;
      try {
        return await method(...args);
      } finally {
        disk.running--;
      }
    };
  return {
    load: watch(state.load),
    keepNextKey: watch(state.keepNextKey),
    keepCertificate: watch(state.keepCertificate),
    keepBundle: watch(state.keepBundle),
  };
}
