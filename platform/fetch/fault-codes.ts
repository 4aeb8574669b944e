/** Why a document could not be had from the network, with what it means to an operator. `docs/faults.md` is written from it. */
export const fetchFaultCodes = {
  "fetch/uri":
    "The address is none that can be fetched: not `http://` or `https://`, without a host, or with characters that no address has.",
  "fetch/address":
    "The address leads to where no document is fetched from: link-local and metadata services of clouds, multicast, unspecified, or a block of `jwt.blockedCidrs`.",
  "fetch/name": "The host's name cannot be resolved.",
  "fetch/connect": "No connection: refused, or no way there.",
  "fetch/proxy": "The proxy of the environment cannot be used, or opened no way to the host.",
  "fetch/tls":
    "TLS failed: the certificate is of an unknown authority, expired or of another name, or there is no TLS at all. Authorities of your own go into `jwt.caFile`.",
  "fetch/timeout": "The document was not there in time: name, connection, TLS, headers and body together.",
  "fetch/reset": "The connection ended before an answer came.",
  "fetch/response": "What came is no HTTP answer.",
  "fetch/redirect": "The answer leads elsewhere. Redirects are not followed: name the address that they lead to.",
  "fetch/status": "The answer's status is not 2xx.",
  "fetch/encoding": "The answer is compressed, though it was asked not to be.",
  "fetch/too-large": "The document is larger than is taken.",
  "fetch/truncated": "The document breaks off: the connection ended, or what came is broken.",
  "fetch/text": "The document is not UTF-8.",
  "fetch/failed": "Anything else: the message has the system's word for it. Perhaps a defect of ours.",
  "fetch/stopped": "The program is ending.",
} as const satisfies Readonly<Record<`fetch/${string}`, string>>;
/** A key of the table. */
export type FetchFaultCode = keyof typeof fetchFaultCodes;

/** Thrown inside this folder; `fetchDocument` gives it back as a value. `message` is one line without anything secret. */
export class FetchFault extends Error {
  readonly code: FetchFaultCode;

  constructor(code: FetchFaultCode, message: string) {
    super(message);
    this.name = "FetchFault";
    this.code = code;
  }
}
