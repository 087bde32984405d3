/** The hue of a person's color in degrees, the same on every page and device (FNV-1a). */
export function hueOf(handle: string): number {
  let hash = 0x811c9dc5;
  for (const char of handle) {
    hash = Math.imul(hash ^ (char.codePointAt(0) ?? 0), 0x01000193);
  }
  return (hash >>> 0) % 360;
}
