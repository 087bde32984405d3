/**
 * The words on the page that are cut off: beyond the edge of a box that hides what is outside, of a
 * box that is too narrow for them, or of the window; and the short words that break. Boxes that
 * scroll, and texts that are only for screen readers, are left out. A text that is shortened on
 * purpose (an ellipsis, a number of lines) needs space for a few letters.
 */
() => {
  /** How much of a line with an ellipsis is enough, in widths of an m. */
  const ENOUGH = 4;
  /** Letters up to which a word must not break, in a text, and in a control or a heading. */
  const WHOLE = 9;
  const WHOLE_IN_CONTROL = 14;
  const WORD = /^[\p{L}\p{N}]+[?!.,:…]*$/u;
  const WORD_IN_CONTROL = /^[\p{L}\p{N}]+([-‑][\p{L}\p{N}]+)*[?!.,:…]*$/u; // also at a hyphen
  const CONTROL = "nav, h1, h2, h3, a, button, label, legend, dt, summary, .tab";
  const dialogs = document.querySelectorAll("dialog[open]");
  const range = document.createRange();
  const found = new Set();

  for (const text of texts(dialogs[dialogs.length - 1] ?? document.body)) {
    const boxes = boxesAround(text);
    const isControl = text.parentElement.closest(CONTROL) !== null;
    const [whole, pattern] = isControl ? [WHOLE_IN_CONTROL, WORD_IN_CONTROL] : [WHOLE, WORD];
    for (const { index, 0: word } of boxes === undefined ? [] : text.data.matchAll(/\S+/g)) {
      range.setStart(text, index);
      range.setEnd(text, index + word.length);
      const lines = [...range.getClientRects()].filter(({ width }) => width > 0);
      const fault = faultIn(lines, boxes) ?? (isBroken(word, lines, whole, pattern) ? "breaks" : undefined);
      if (fault !== undefined) {
        found.add(`“${word.slice(0, 40)}” ${fault}, in ${nameOf(text.parentElement)}`);
      }
    }
  }
  return [...found];

  /** The texts that are on screen. */
  function* texts(root) {
    const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
      const { data, parentElement } = walker.currentNode;
      if (
        data.trim() !== "" &&
        parentElement.closest("script, style, noscript, option, textarea") === null &&
        parentElement.checkVisibility({ opacityProperty: true, visibilityProperty: true })
      ) {
        yield walker.currentNode;
      }
    }
  }

  /** The boxes that limit a text, from the inside; undefined if it is only for screen readers. */
  function boxesAround(text) {
    const boxes = [];
    for (let element = text.parentElement; element !== document.body; element = element.parentElement) {
      const style = getComputedStyle(element);
      if (style.clipPath !== "none") {
        return undefined;
      }
      if (style.display === "inline" || style.display === "contents") {
        continue;
      }
      const isHiding = /hidden|clip/.test(style.overflow);
      if (/auto|scroll/.test(style.overflow)) {
        return boxes;
      }
      if (isHiding || boxes.length === 0) {
        boxes.push({
          edge: element.getBoundingClientRect(),
          isHiding,
          isShort: element.clientWidth < Math.min(element.scrollWidth, ENOUGH * parseFloat(style.fontSize)),
          isShortened: style.textOverflow === "ellipsis" || style.webkitLineClamp !== "none",
        });
      }
    }
    return [...boxes, { edge: { left: 0, right: innerWidth, top: -Infinity, bottom: Infinity }, isHiding: true }];
  }

  function faultIn(lines, boxes) {
    for (const { edge, isHiding, isShort, isShortened } of boxes) {
      if (isShortened) {
        return isShort ? "has no space" : undefined;
      }
      if (lines.some(({ left, right }) => left < edge.left - 1 || right > edge.right + 1)) {
        return isHiding ? "is cut off" : "sticks out of its box";
      }
      // A line is taller than its letters.
      if (isHiding && lines.some(({ top, bottom, height }) => top + height / 4 < edge.top || bottom - height / 4 > edge.bottom)) {
        return "is cut off at the top or the bottom";
      }
    }
    return undefined;
  }

  function isBroken(word, lines, whole, pattern) {
    const [first] = lines;
    const isOnOneLine = lines.every(({ top }) => Math.abs(top - first.top) < first.height / 2);
    return !isOnOneLine && word.length <= whole && pattern.test(word);
  }

  function nameOf(element) {
    const box = element.closest("[class]");
    return box === null ? element.localName : `${element.localName} of .${box.className}`;
  }
};
