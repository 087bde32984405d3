import { describe, expect, test } from "vitest";
import {
  conversationAddress,
  crudAddress,
  profileAddress,
  searchAddress,
} from "../../src/text/addresses";
import { countChars, isBlank } from "../../src/text/chars";
import { describeDevice } from "../../src/text/device";

describe("the length of a text", () => {
  test.each([
    ["nothing", "", 0],
    ["ASCII", "crud", 4],
    ["a composed accent", "\u00e9", 1],
    ["a combining accent, which is composed", "e\u0301", 1],
    ["Devanagari whose composed form is longer", "\u0958", 2],
    ["an emoji", "😀", 1],
    ["a flag of two code points", "🇧🇷", 2],
    ["a family of five code points", "👩‍👩‍👧", 5],
    ["a hand with a skin tone", "👍🏽", 2],
    ["a heart with a variation selector", "❤️", 2],
    ["Devanagari with vowel signs", "हिन्दी", 6],
    ["line breaks", "a\r\nb", 4],
    ["a lone surrogate", "\ud83d", 1],
  ])("of %s is counted as the server counts it", (_, text, count) => {
    expect(countChars(text)).toBe(count);
  });
});

describe("a text", () => {
  test.each([
    "",
    " \t\r\n",
    "\u200b\u2060\ufeff",
    "\u3000",
    "\u2800",
    "\u0007",
    "\u{e0041}",
    "\u{1d173}",
    "\u3164",
  ])("%j is blank", (text) => {
    expect(isBlank(text)).toBe(true);
  });

  test.each(["a", " . ", "\u200b😀", "한"])("%j is not blank", (text) => {
    expect(isBlank(text)).toBe(false);
  });
});

describe("a device", () => {
  const mac =
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko)";
  const linux = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko)";
  const windows =
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko)";
  const phone = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15";
  const android = "Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko)";
  test.each([
    ["Mozilla/5.0 (X11; Linux x86_64; rv:146.0) Gecko/20100101 Firefox/146.0", "Firefox on Linux"],
    [`${mac} Chrome/142.0.0.0 Safari/537.36`, "Chrome on macOS"],
    [`${mac} Version/18.1 Safari/605.1.15`, "Safari on macOS"],
    [`${windows} Chrome/142.0.0.0 Safari/537.36 Edg/142.0.0.0`, "Edge on Windows"],
    [`${windows} Chrome/142.0.0.0 Safari/537.36 OPR/120.0.0.0`, "Opera on Windows"],
    [`${linux} HeadlessChrome/142.0.0.0 Safari/537.36`, "Chrome on Linux"],
    [`${phone} Version/18.1 Mobile/15E148 Safari/604.1`, "Safari on iPhone"],
    [`${phone} CriOS/142.0 Mobile/15E148 Safari/604.1`, "Chrome on iPhone"],
    [`${phone} FxiOS/146.0 Mobile/15E148 Safari/605.1.15`, "Firefox on iPhone"],
    [`${android} Chrome/142.0.0.0 Mobile Safari/537.36`, "Chrome on Android"],
    [
      `${android} SamsungBrowser/28.0 Chrome/130.0.0.0 Mobile Safari/537.36`,
      "Samsung Internet on Android",
    ],
    [
      "Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) Chrome/142.0.0.0 Safari/537.36",
      "Chrome on ChromeOS",
    ],
    ["curl/8.11.0", "curl"],
    ["python-httpx/0.28.1", "python-httpx/0.28.1"],
    ["Something (Windows NT 10.0)", "Windows"],
    ["", "Unknown device"],
  ])("%j is %j", (userAgent, name) => {
    expect(describeDevice(userAgent)).toBe(name);
  });
});

describe("an address", () => {
  test("of a crud, a user and a conversation has an @ before the handle", () => {
    expect(crudAddress({ handle: "worf", uuid: "1" })).toBe("/@worf/status/1");
    expect(profileAddress({ handle: "worf" })).toBe("/@worf");
    expect(conversationAddress({ handle: "worf" })).toBe("/messages/@worf");
  });

  test.each(["#crud", "a&b=c", "100% sure?", "日本 語"])(
    "of a search contains the term %j",
    (term) => {
      const url = new URL(searchAddress(term), "http://localhost");
      expect(url.pathname).toBe("/search");
      expect(url.searchParams.get("term")).toBe(term);
    },
  );
});
