/**
 * The bytes of an IP address, 4 for IPv4 and 16 for IPv6, or undefined when the text is none. The grammar is that of Go's
 * `netip.ParseAddr`, which Istio uses: four decimal octets without leading zeros; groups of one to four hex digits with at
 * most one `::` that stands for at least one group, the last two groups possibly as IPv4. An IPv4-mapped address keeps its
 * 16 bytes. No zone, no port, no brackets, no spaces.
 */
export function parseIpAddress(text: string): readonly number[] | undefined {
  // The longest address with an embedded IPv4 part has 45 characters.
  if (text.length > 45) return undefined;
  return text.includes(":") ? parseIpv6(text) : parseIpv4(text, 0);
}

function parseIpv4(text: string, from: number): number[] | undefined {
  const bytes: number[] = [];
  let value = 0;
  let digits = 0;
  for (let i = from; i <= text.length; i++) {
    const code = i === text.length ? dot : text.charCodeAt(i);
    if (code === dot) {
      if (digits === 0 || bytes.length === 4) return undefined;
      bytes.push(value);
      value = 0;
      digits = 0;
    } else if (code >= zero && code <= nine) {
      if (digits > 0 && value === 0) return undefined;
      value = value * 10 + (code - zero);
      digits++;
      if (value > 255) return undefined;
    } else {
      return undefined;
    }
  }
  return bytes.length === 4 ? bytes : undefined;
}

function parseIpv6(text: string): number[] | undefined {
  const bytes: number[] = [];
  let ellipsis: number | undefined;
  let at = 0;
  if (text.startsWith("::")) {
    ellipsis = 0;
    at = 2;
  }
  while (at < text.length) {
    if (bytes.length === 16) return undefined;
    const start = at;
    let group = 0;
    let digit = hexDigit(text, at);
    while (digit !== undefined) {
      group = group * 16 + digit;
      at++;
      if (at - start > 4) return undefined;
      digit = hexDigit(text, at);
    }
    if (at === start) return undefined;
    if (text[at] === ".") {
      const ipv4 = parseIpv4(text, start);
      const fits = ellipsis === undefined ? bytes.length === 12 : bytes.length <= 12;
      if (ipv4 === undefined || !fits) return undefined;
      bytes.push(...ipv4);
      break;
    }
    bytes.push(group >> 8, group & 0xff);
    if (at === text.length) break;
    if (text[at] !== ":" || at + 1 === text.length) return undefined;
    at++;
    if (text[at] === ":") {
      if (ellipsis !== undefined) return undefined;
      ellipsis = bytes.length;
      at++;
    }
  }
  if (ellipsis === undefined) return bytes.length === 16 ? bytes : undefined;
  if (bytes.length > 14) return undefined;
  const zeros = new Array<number>(16 - bytes.length).fill(0);
  return [...bytes.slice(0, ellipsis), ...zeros, ...bytes.slice(ellipsis)];
}

const dot = 0x2e;
const zero = 0x30;
const nine = 0x39;

function hexDigit(text: string, at: number): number | undefined {
  const code = text.charCodeAt(at);
  if (code >= zero && code <= nine) return code - zero;
  const letter = code | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x61 + 10 : undefined;
}
