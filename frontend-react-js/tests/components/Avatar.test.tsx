import { readFileSync } from "node:fs";
import { fireEvent, render } from "@testing-library/react";
import { describe, expect, test } from "vitest";
import { Avatar } from "../../src/components/Avatar";
import { hueOf } from "../../src/text/hues";
import { LONDO } from "../support/make";

const TOKENS = readFileSync("src/styles/tokens.css", "utf8");

/** The lightness and chroma of people's colors in a theme. */
function person(theme: string): [number, number] {
  const [, lightness, chroma] =
    new RegExp(`--person-${theme}: ([\\d.]+) ([\\d.]+);`).exec(TOKENS) ?? [];
  return [Number(lightness), Number(chroma)];
}

/** Linear red, green and blue of a color in OKLCH, which may be outside of sRGB (CSS Color 4). */
function linear(lightness: number, chroma: number, hue: number): number[] {
  const a = chroma * Math.cos((hue * Math.PI) / 180);
  const b = chroma * Math.sin((hue * Math.PI) / 180);
  const l = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const m = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const s = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3;
  return [
    4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s,
    -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s,
    -0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s,
  ];
}

/** The contrast of white with a color that is clipped to sRGB (WCAG 2.2). */
function contrastWithWhite(rgb: number[]): number {
  const [red, green, blue] = rgb.map((value) => Math.min(Math.max(value, 0), 1)) as [
    number,
    number,
    number,
  ];
  return 1.05 / (0.2126 * red + 0.7152 * green + 0.0722 * blue + 0.05);
}

describe("the color of a person", () => {
  test.each(["dark", "light"])(
    "has enough contrast with the initial for every hue, in the %s theme",
    (theme) => {
      expect(TOKENS).toMatch(/--on-person: #fff;/);
      const [lightness, most] = person(theme);
      for (let hue = 0; hue < 360; hue++) {
        // Browsers clip a color that a screen lacks, or reduce its chroma.
        for (let chroma = 0; chroma <= most; chroma += most / 20) {
          const contrast = contrastWithWhite(linear(lightness, chroma, hue));
          expect(contrast, `hue ${hue}, chroma ${chroma}`).toBeGreaterThanOrEqual(4.5);
        }
      }
    },
  );

  test("is on the initial alone, whatever the state of what is around it", () => {
    const css = ["Avatar", "CrudCard"]
      .map((name) => readFileSync(`src/components/${name}.css`, "utf8"))
      .join("");
    expect(css).toMatch(
      /\.avatar \{[^}]*light-dark\(\s*oklch\(var\(--person-light\) var\(--hue\)\),\s*oklch\(var\(--person-dark\)/,
    );
    expect(css).toMatch(/\.crud-pending > :not\(\.crud-avatar\) \{\s*opacity: 0\.65;/);
    expect(css).not.toMatch(/\.crud-pending \{[^}]*opacity/);
  });

  test("depends on the handle alone", () => {
    // Other clients may show the same colors.
    expect([hueOf("worf"), hueOf("londo"), hueOf("andrewbrown")]).toEqual([71, 75, 112]);
    const { container, rerender } = render(<Avatar person={LONDO} />);
    const shown = () => container.querySelector<HTMLElement>(".avatar")?.style.cssText;
    const before = shown();
    expect(before).toContain(`--hue: ${hueOf("londo")}`);
    rerender(<Avatar person={{ ...LONDO, display_name: "Another name" }} />);
    expect(shown()).toBe(before);
    rerender(<Avatar person={{ ...LONDO, handle: "vir" }} />);
    expect(shown()).not.toBe(before);
  });

  test("spreads people over all hues", () => {
    const parts = new Set(
      Array.from({ length: 200 }, (_, number) => Math.floor(hueOf(`member${number}`) / 30)),
    );
    expect(parts.size).toBe(12);
  });
});

test("a picture that is missing becomes the initial until there is another one", () => {
  const { container, rerender } = render(<Avatar person={{ ...LONDO, avatar_url: "/1.jpg" }} />);
  const image = container.querySelector("img");
  expect(image).toHaveAttribute("src", "/1.jpg");
  fireEvent.error(image as HTMLElement);
  expect(container).toHaveTextContent("L");
  rerender(<Avatar person={{ ...LONDO, avatar_url: "/2.jpg" }} />);
  expect(container.querySelector("img")).toHaveAttribute("src", "/2.jpg");
});
