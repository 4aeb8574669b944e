import assert from "node:assert/strict";
import { test } from "node:test";
import { accessFault, type Need, type Presented } from "#authz/transport/admin/access";
import type { AdminDoor } from "#authz/transport/admin/contract";

const token = new Uint8Array(Buffer.from("sesame"));
const socket: AdminDoor = { reads: "open", writes: "open", hosts: undefined, token: () => undefined, tls: undefined };
const loopback: AdminDoor = {
  reads: "open",
  writes: "closed",
  hosts: new Set(["localhost", "127.0.0.1", "[::1]"]),
  token: () => undefined,
  tls: undefined,
};
const withToken: AdminDoor = { ...loopback, writes: "credential", token: () => token };
const exposed: AdminDoor = { ...withToken, reads: "credential", hosts: undefined };

const nobody: Presented = {
  host: undefined,
  origin: undefined,
  site: undefined,
  authorization: undefined,
  certified: false,
};
const at = (host: string): Presented => ({ ...nobody, host });
const bearer = (value: string): Presented => ({ ...at("127.0.0.1:9190"), authorization: `Bearer ${value}` });

/** `undefined`: let in. */
const rows: readonly (readonly [
  title: string,
  door: AdminDoor,
  presented: Presented,
  faults: Record<Need, number | undefined>,
])[] = [
  ["the socket, by whatever name", socket, at("x"), { probe: undefined, read: undefined, write: undefined }],
  ["loopback by address", loopback, at("127.0.0.1:9190"), { probe: undefined, read: undefined, write: 403 }],
  ["loopback by name, in capitals", loopback, at("LocalHost:9190"), { probe: undefined, read: undefined, write: 403 }],
  ["loopback by IPv6 address", loopback, at("[::1]:9190"), { probe: undefined, read: undefined, write: 403 }],
  ["loopback by another name", loopback, at("evil.example:9190"), { probe: 403, read: 403, write: 403 }],
  [
    "loopback by a name that begins alike",
    loopback,
    at("localhost.evil.example"),
    { probe: 403, read: 403, write: 403 },
  ],
  ["loopback by a name with a user", loopback, at("localhost@evil.example"), { probe: 403, read: 403, write: 403 }],
  ["loopback by a broken name", loopback, at("localhost:9190:1"), { probe: 403, read: 403, write: 403 }],
  ["loopback without a name", loopback, nobody, { probe: 403, read: 403, write: 403 }],
  [
    "loopback from a page",
    loopback,
    { ...at("127.0.0.1"), origin: "http://127.0.0.1" },
    { probe: 403, read: 403, write: 403 },
  ],
  [
    "loopback from a page of another site",
    loopback,
    { ...at("127.0.0.1"), site: "cross-site" },
    { probe: 403, read: 403, write: 403 },
  ],
  [
    "loopback typed into a browser",
    loopback,
    { ...at("127.0.0.1"), site: "none" },
    { probe: undefined, read: undefined, write: 403 },
  ],
  ["a token where there is none", loopback, bearer("sesame"), { probe: undefined, read: undefined, write: 403 }],
  ["no token", withToken, at("127.0.0.1"), { probe: undefined, read: undefined, write: 401 }],
  ["the token", withToken, bearer("sesame"), { probe: undefined, read: undefined, write: undefined }],
  [
    "the token by another name",
    withToken,
    { ...bearer("sesame"), host: "garita.example" },
    { probe: undefined, read: undefined, write: undefined },
  ],
  ["a wrong token", withToken, bearer("sesamE"), { probe: undefined, read: undefined, write: 401 }],
  ["a longer token", withToken, bearer("sesame1"), { probe: undefined, read: undefined, write: 401 }],
  ["an empty token", withToken, bearer(""), { probe: undefined, read: undefined, write: 401 }],
  [
    "another scheme",
    withToken,
    { ...bearer(""), authorization: "Basic sesame" },
    { probe: undefined, read: undefined, write: 401 },
  ],
  ["another machine without a token", exposed, at("garita.example"), { probe: undefined, read: 401, write: 401 }],
  [
    "another machine with the token",
    exposed,
    bearer("sesame"),
    { probe: undefined, read: undefined, write: undefined },
  ],
  [
    "another machine with a certificate",
    exposed,
    { ...nobody, certified: true },
    { probe: undefined, read: undefined, write: undefined },
  ],
];

for (const [title, door, presented, faults] of rows) {
  test(title, () => {
    for (const need of ["probe", "read", "write"] as const) {
      assert.equal(accessFault(door, need, presented)?.status, faults[need], need);
    }
  });
}
