/** Geometry of the square that is cut out of a picture. */

/** A picture of this size in pixels. */
export interface Picture {
  readonly width: number;
  readonly height: number;
}

/**
 * The square: `left` is a fraction of the picture's width, `top` of its height, and `side` of its
 * shorter side.
 */
export interface Square {
  readonly left: number;
  readonly top: number;
  readonly side: number;
}

/** The smallest side, so that the square can still be seen and moved. */
export const MIN_SIDE = 0.1;

/** The largest square in the middle. */
export function center(picture: Picture): Square {
  const { across, down } = extent(picture, 1);
  return { left: (1 - across) / 2, top: (1 - down) / 2, side: 1 };
}

/** The square moved by fractions of the shorter side, up to the edges of the picture. */
export function moved(picture: Picture, square: Square, x: number, y: number): Square {
  const unit = extent(picture, 1);
  return within(picture, {
    ...square,
    left: square.left + x * unit.across,
    top: square.top + y * unit.down,
  });
}

/** The square with another side. Its middle stays, or its upper left corner. */
export function resized(
  picture: Picture,
  square: Square,
  side: number,
  fixed: "middle" | "corner" = "middle",
): Square {
  const before = extent(picture, square.side);
  const unit = extent(picture, 1);
  const room =
    fixed === "middle"
      ? 1
      : Math.min((1 - square.left) / unit.across, (1 - square.top) / unit.down);
  const bounded = Math.min(Math.max(side, MIN_SIDE), Math.max(room, MIN_SIDE), 1);
  const after = extent(picture, bounded);
  const share = fixed === "middle" ? 0.5 : 0;
  return within(picture, {
    left: square.left + (before.across - after.across) * share,
    top: square.top + (before.down - after.down) * share,
    side: bounded,
  });
}

/** The square as the service expects it. */
export function part({ left, top, side }: Square): string {
  return [left, top, side].map((value) => Number(value.toFixed(4))).join(",");
}

/** The side as fractions of the picture's width and height. */
function extent({ width, height }: Picture, side: number): { across: number; down: number } {
  const shorter = Math.min(width, height);
  return { across: (side * shorter) / width, down: (side * shorter) / height };
}

function within(picture: Picture, square: Square): Square {
  const { across, down } = extent(picture, square.side);
  return {
    left: Math.min(Math.max(square.left, 0), 1 - across),
    top: Math.min(Math.max(square.top, 0), 1 - down),
    side: square.side,
  };
}
