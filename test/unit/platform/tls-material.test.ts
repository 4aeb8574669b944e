import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { CodedError } from "#platform/coded-error";
import { loadTlsMaterial, subjectNames } from "#platform/tls-material";
import { createAuthority } from "#test/support/service/certificates";
import { tempFolder } from "#test/support/service/temp-folder";

const names: readonly (readonly [text: string | undefined, names: readonly string[]])[] = [
  [undefined, []],
  ["", []],
  ["URI:spiffe://a/b", ["spiffe://a/b"]],
  ["DNS:a.example, URI:spiffe://a/b, DNS:b.example", ["a.example", "spiffe://a/b", "b.example"]],
  ["IP Address:10.0.0.1, DNS:a.example", ["a.example"]],
  ["email:x@a.example", []],
  // A name that holds what separates names is quoted: neither it nor its parts are names.
  ['URI:"spiffe://a/b, DNS:forged.example"', []],
  ['DNS:"a\\", URI:spiffe://forged/x", DNS:b.example', ["b.example"]],
  ["othername:<unsupported>, DNS:a.example", ["a.example"]],
  ['URI:"unfinished', []],
];

for (const [text, expected] of names) {
  test(`the names of ${text}`, () => assert.deepEqual(subjectNames(text), expected));
}

test("material is refused when it cannot be used, and the fault names the file", async (t) => {
  const folder = await tempFolder(t);
  const authority = createAuthority(folder, "ca");
  const server = authority.issue("server", "DNS:localhost");
  const other = authority.issue("other", "DNS:localhost");
  const { certificateFile, keyFile } = server;
  const junk = join(folder, "junk.pem");
  await writeFile(junk, "no certificate");
  const refused = (code: string) => (fault: unknown) => fault instanceof CodedError && fault.code === code;

  const material = await loadTlsMaterial({ certificateFile, keyFile, clientCaFile: authority.caFile });
  assert.ok(material.notAfterMillis > Date.now());
  await assert.rejects(loadTlsMaterial({ certificateFile, keyFile: other.keyFile }), refused("tls/unusable"));
  await assert.rejects(loadTlsMaterial({ certificateFile: junk, keyFile }), refused("tls/unusable"));
  await assert.rejects(loadTlsMaterial({ certificateFile, keyFile, clientCaFile: junk }), refused("tls/unusable"));
  await assert.rejects(loadTlsMaterial({ certificateFile: `${junk}.none`, keyFile }), refused("tls/unreadable"));
});
