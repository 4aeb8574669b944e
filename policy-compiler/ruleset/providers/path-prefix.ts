/**
 * May a text stand in front of paths? As Istio asks: it begins with `/`, and Go's `url.Parse` takes it. Which means: no control characters, every
 * `%` in path, host and fragment with two hex digits, and behind `//` a host as URLs have it.
 */
export function isPathPrefix(text: string): boolean {
  if (!text.startsWith("/") || hasControl(text)) return false;
  const [withoutFragment, fragment] = cut(text, "#");
  if (fragment !== undefined && !isEscaped(fragment)) return false;
  const [rest] = cut(withoutFragment, "?");
  if (!rest.startsWith("//") || rest.startsWith("///")) return isEscaped(rest);
  const slash = rest.indexOf("/", 2);
  const authority = slash < 0 ? rest.slice(2) : rest.slice(2, slash);
  return isAuthority(authority) && isEscaped(slash < 0 ? "" : rest.slice(slash));
}

function hasControl(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code < 0x20 || code === 0x7f) return true;
  }
  return false;
}

function isEscaped(text: string): boolean {
  return !/%(?![0-9A-Fa-f]{2})/.test(text);
}

/** Narrower than Go, which knows escapes in hosts: nobody means a host here. */
function isAuthority(text: string): boolean {
  return /^(?:[A-Za-z0-9\-._~!$&'()*+,;=:]*@)?(?:[A-Za-z0-9\-._~!$&'()*+,;=]*|\[[0-9A-Fa-f:.]+\])(?::[0-9]*)?$/.test(
    text,
  );
}

function cut(text: string, mark: string): readonly [string, string | undefined] {
  const at = text.indexOf(mark);
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
}
