/** The code in the address of a phone: whether whoever opens it may go on with the session of before. */

/** The code of a link from the control room, empty if the address has none. */
export function codeIn(hash: string): string {
  return (new URLSearchParams(hash.slice(1)).get("code") ?? "").trim();
}

/** What is kept of a code that signed in: enough to know it again (FNV-1a; `crypto.subtle` exists only on https). */
export function markOf(code: string): string {
  let mark = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(code)) mark = Math.imul(mark ^ byte, 0x01000193) >>> 0;
  return mark.toString(16);
}

/** After a code that did not sign in, only the one that this phone came in with goes on: another one is somebody else's. */
export function mayGoOn(code: string, lastMark: string | null): boolean {
  return code === "" || markOf(code) === lastMark;
}
