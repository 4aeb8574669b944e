/**
 * Numbers as C writes them, which is what Envoy and protobuf put into headers. JavaScript rounds a value that lies exactly between two
 * decimals away from zero, C to the even one.
 */

/**
 * A claim that is a number, as a header's value: whole numbers from 0 to below 2^64 as they are, all others with six decimals. Envoy:
 * jwt_authn, authenticator.cc.
 */
export function claimNumberText(value: number): string {
  if (value >= 0 && value < 2 ** 64 && Number.isInteger(value)) return String(BigInt(value));
  // Beyond 10^21 `toFixed` does not write digits.
  if (Number.isInteger(value)) return `${BigInt(value)}.000000`;
  const isTie = Number.isInteger(value * 128) && (value * 128) % 2 !== 0;
  const text = value.toFixed(6);
  return isTie ? toEven(text) : text;
}

/** A number in protobuf's JSON: 15 significant digits if they are enough to read it back, else 17, in the form of `%g`. */
export function jsonNumberText(value: number): string {
  const short = general(value.toExponential(14), 15);
  if (Number(short) === value) return short === "0" && Object.is(value, -0) ? "-0" : short;
  const digits = value.toExponential(16);
  return general(isTieAt17(value) ? toEven(digits) : digits, 17);
}

/** Exactly 18 significant digits, the last of them a five. A double's exact value has no long run of zeros before its end. */
function isTieAt17(value: number): boolean {
  return /^-?\d\.\d{16}50+e/.test(value.toExponential(100));
}

/** Of a decimal that was rounded away from zero from a tie: the neighbour towards zero if the last digit is odd. */
function toEven(text: string): string {
  return text.replace(
    /^([^e]*)([13579])(?=e|$)/,
    (_, before: string, digit: string) => `${before}${Number(digit) - 1}`,
  );
}

/** `d.ddde±x` in the form of C's `%g`: trailing zeros go; a point where the exponent is small, else two digits of exponent at least. */
function general(exponential: string, precision: number): string {
  const [mantissa = "", power = "0"] = exponential.split("e");
  const exponent = Number(power);
  const sign = mantissa.startsWith("-") ? "-" : "";
  const digits = mantissa.replace(/[-.]/g, "").replace(/0+$/, "") || "0";
  if (exponent < -4 || exponent >= precision) {
    const fraction = digits.length > 1 ? `.${digits.slice(1)}` : "";
    const size = String(Math.abs(exponent)).padStart(2, "0");
    return `${sign}${digits[0]}${fraction}e${exponent < 0 ? "-" : "+"}${size}`;
  }
  if (exponent < 0) return `${sign}0.${"0".repeat(-exponent - 1)}${digits}`;
  const whole = digits.slice(0, exponent + 1).padEnd(exponent + 1, "0");
  const fraction = digits.slice(exponent + 1);
  return fraction === "" ? sign + whole : `${sign}${whole}.${fraction}`;
}
