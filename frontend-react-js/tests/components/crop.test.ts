import { describe, expect, test } from "vitest";
import { center, MIN_SIDE, moved, part, resized } from "../../src/components/crop";

const WIDE = { width: 400, height: 200 };
const TALL = { width: 200, height: 400 };
const THIN = { width: 4000, height: 1 };
const SQUARE = /^((0(\.\d{1,6})?|1),){2}(0(\.\d{1,6})?|1)$/;

describe("the square of a picture", () => {
  test("is the largest one in the middle at first", () => {
    expect(center(WIDE)).toEqual({ left: 0.25, top: 0, side: 1 });
    expect(center(TALL)).toEqual({ left: 0, top: 0.25, side: 1 });
    expect(center({ width: 9, height: 9 })).toEqual({ left: 0, top: 0, side: 1 });
  });

  test("moves by fractions of the shorter side, up to the edges", () => {
    expect(moved(WIDE, center(WIDE), 0.1, 0.1)).toEqual({ left: 0.3, top: 0, side: 1 });
    expect(moved(WIDE, center(WIDE), -9, -9)).toEqual({ left: 0, top: 0, side: 1 });
    expect(moved(TALL, center(TALL), 9, 9)).toEqual({ left: 0, top: 0.5, side: 1 });
    const small = { left: 0, top: 0, side: 0.5 };
    expect(moved(WIDE, small, 9, 9)).toEqual({ left: 0.75, top: 0.5, side: 0.5 });
  });

  test("keeps its middle when its size changes", () => {
    expect(resized(WIDE, center(WIDE), 0.5)).toEqual({ left: 0.375, top: 0.25, side: 0.5 });
    expect(resized(WIDE, { left: 0, top: 0, side: 0.5 }, 1)).toEqual({ left: 0, top: 0, side: 1 });
    expect(resized(WIDE, center(WIDE), 7).side).toBe(1);
    expect(resized(WIDE, center(WIDE), -1).side).toBe(MIN_SIDE);
  });

  test("keeps its upper left corner when the other one is dragged", () => {
    const small = { left: 0.5, top: 0.5, side: 0.2 };
    expect(resized(WIDE, small, 0.4, "corner")).toEqual({ left: 0.5, top: 0.5, side: 0.4 });
    expect(resized(WIDE, small, 9, "corner")).toEqual({ left: 0.5, top: 0.5, side: 0.5 });
  });

  test.each([WIDE, TALL, THIN])("is sent in the form that the service accepts", (picture) => {
    let square = center(picture);
    for (let step = 0; step < 200; step++) {
      square = moved(picture, resized(picture, square, (step % 13) / 9), Math.sin(step), 1 / step);
      expect(part(square)).toMatch(SQUARE);
    }
  });
});
