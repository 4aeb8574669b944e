import { type Address, parseAddress } from "#platform/address";
import type { TlsFiles } from "#platform/tls-material";

/** An address that was checked, its socket's path made absolute with `file`. */
export function convertAddress(text: string, file: (path: string) => string): Address {
  const parsed = parseAddress(text)!;
  return parsed.kind === "unix" ? { ...parsed, path: file(parsed.path) } : parsed;
}

/** TLS files, made absolute with `file`. */
export function convertTls(files: TlsFiles | undefined, file: (path: string) => string): TlsFiles | undefined {
  if (files === undefined) return undefined;
  return {
    ...files,
    certificateFile: file(files.certificateFile),
    keyFile: file(files.keyFile),
    ...(files.clientCaFile === undefined ? {} : { clientCaFile: file(files.clientCaFile) }),
  };
}
