/** QR codes. This module is a script of its own, which loads when a code is shown. */

import { encode } from "uqr";

export interface QrCode {
  /** Modules on a side, with the quiet zone around the code. */
  readonly size: number;
  /** The dark modules, as an SVG path with a unit for each module. */
  readonly path: string;
}

/** The QR code of a text, with the quiet zone of four modules that the standard demands. */
export function qrCode(text: string): QrCode {
  const { data, size } = encode(text, { border: 4 });
  const path = data
    .flatMap((row, y) => row.map((isDark, x) => (isDark ? `M${x} ${y}h1v1h-1z` : "")))
    .join("");
  return { size, path };
}
