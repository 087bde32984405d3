// Find and operate the controls of a page. This script runs before the page's own scripts.

globalThis.controls = (() => {
  const KINDS = [
    "a[href]",
    "button",
    "input",
    "select",
    "textarea",
    "summary",
    "[contenteditable]",
    "[role='button']",
    "[role='link']",
    "[tabindex]:not([tabindex^='-'])",
  ].join();
  const PLACES = "nav, main, aside, footer, form, search, section, dialog, [role='status']";
  const ROWS = "article, li, blockquote, [role='status']";
  const CARD = "article.crud"; // the same component in every list of cruds
  const PATIENCE = 2000; // milliseconds to wait for an effect; most appear in the next frame

  // Stop the page's timers, so that every change is an effect of the control.
  const interval = setInterval;
  globalThis.setInterval = (run, time, ...rest) =>
    time >= 1000 ? 0 : interval(run, time, ...rest);

  // The browser would request the icon again at every address.
  addEventListener("DOMContentLoaded", () => {
    document.querySelector("link[rel='icon']")?.remove();
  });

  let asked = 0;
  let pending = 0;
  const plainFetch = fetch;
  globalThis.fetch = async (...call) => {
    asked += 1;
    pending += 1;
    try {
      const response = await plainFetch(...call);
      const isStream = response.headers.get("Content-Type")?.startsWith("text/event-stream");
      if (!isStream) {
        await response.clone().blob().catch(() => {}); // the page reports a failure itself
      }
      return response;
    } finally {
      pending -= 1;
    }
  };

  let isTidy = true; // whether no earlier control has changed the page
  let elsewhere = null; // the title of the page that a control has led to

  const moment = () => new Promise((done) => setTimeout(done, 4));

  /** Wait until the page has nothing to do: other tasks run before one of this priority. */
  const idle = () => scheduler.postTask(() => {}, { priority: "background", delay: 4 });

  /** Wait until a condition holds; return false if it does not. */
  async function until(holds, time = PATIENCE) {
    for (const end = performance.now() + time; performance.now() < end; await moment()) {
      if (holds()) {
        return true;
      }
    }
    return holds();
  }

  /** Wait until all requests are done, also those that responses cause, and all is rendered. */
  async function calm() {
    const isCalm = () => pending === 0 && document.querySelector("[aria-busy='true']") === null;
    for (let calmFor = 0, rounds = 0; calmFor < 3 && rounds < 10; rounds += 1) {
      calmFor = isCalm() ? calmFor + 1 : 0;
      await (isCalm() ? idle() : until(isCalm));
    }
  }

  /** The element to click: for a visually hidden field, its label. */
  function target(control) {
    const { width, height } = control.getBoundingClientRect();
    return width <= 1 && height <= 1 && control.labels?.length ? control.labels[0] : control;
  }

  function all() {
    const root = [...document.querySelectorAll("dialog[open]")].at(-1) ?? document;
    return [...root.querySelectorAll(KINDS)].filter((control) => {
      const at = target(control);
      const { width, height } = at.getBoundingClientRect();
      return (
        !control.matches(":disabled, [inert] *, [type='radio']:checked") &&
        at.checkVisibility({ visibilityProperty: true, opacityProperty: true }) &&
        width > 1 &&
        height > 1
      );
    });
  }

  function nameOf(control) {
    const words =
      control.getAttribute("aria-label") ||
      [...(control.labels ?? [])].map((label) => label.textContent).join(" ") ||
      control.textContent ||
      control.title;
    // Remove counts: "Like, 3 likes" becomes "Like".
    return words.replace(/,.*|\d+\+? unread|\d+/g, "").replace(/\s+/g, " ").trim();
  }

  /**
   * An identifier of a control. Controls in list rows that do the same share one key: for links in
   * rows, it contains only the kind of their address, not their text. For controls in a card, it
   * does not contain the place of the card.
   */
  function keyOf(control) {
    const where = [];
    const outer = (at) => at.parentElement?.closest(`${PLACES}, ${CARD}`);
    for (let at = outer(control); at; at = at.matches(CARD) ? null : outer(at)) {
      const label = at.matches(CARD) ? "card" : at.getAttribute("aria-label");
      where.unshift(label?.replace(/@\w+/, "@") ?? at.localName);
    }
    const kind = [control.parentElement, control].map((at) => at.classList[0] ?? at.localName);
    const isRow = control.closest(ROWS) !== null;
    const href = control.getAttribute("href");
    const address = href?.replace(/[0-9a-f-]{36}/, "…"); // each new world has other cruds
    const sort = isRow ? address?.replace(/@\w+/, "@").replace(/(term=|:\/\/).*/, "$1…") : address;
    const isOwnWords = (isRow && href !== null) || control.querySelector("bdi") !== null;
    const words = isOwnWords ? "" : nameOf(control);
    return [...where, kind.join(">"), sort ?? "", words].join(" / ");
  }

  /** The keys of all controls, without duplicates, in page order. */
  const list = () => [...new Set(all().map(keyOf))];

  const find = (key) => all().find((control) => keyOf(control) === key);

  /** Whether a click reaches the control; false if another element covers it. */
  function canBeHit(control) {
    const at = target(control);
    at.scrollIntoView({ block: "center", behavior: "instant" });
    const [box] = at.getClientRects();
    const found = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
    return found !== null && (at.contains(found) || control.contains(found));
  }

  /** Whether it can be clicked, or appears when it gets the focus, such as a skip link. */
  function canBeReached(control) {
    if (canBeHit(control)) {
      return true;
    }
    const before = document.activeElement;
    control.focus();
    const reached = document.activeElement === control && canBeHit(control);
    control.blur();
    before?.focus?.();
    return reached;
  }

  /** The names of the controls that cannot be reached. */
  const outOfReach = () =>
    all().filter((control) => !canBeReached(control)).map((control) => keyOf(control));

  /** Undo what an earlier control did; return false if that fails. */
  async function tidy(address) {
    for (const dialog of document.querySelectorAll("dialog[open]")) {
      dialog.dispatchEvent(new Event("cancel", { cancelable: true }));
    }
    for (const button of document.querySelectorAll("[role='status'] button")) {
      button.click();
    }
    if (document.documentElement.lang !== "en") {
      const languages = document.querySelector("select:has([lang])");
      languages.value = "en";
      languages.dispatchEvent(new Event("change", { bubbles: true }));
      await calm();
    }
    if (location.href !== address) {
      history.back();
      // The address changes first, then the page.
      const isBack = () => location.href === address && title() !== null && title() !== elsewhere;
      if (!(await until(isBack, 2 * PATIENCE))) {
        return false;
      }
    }
    elsewhere = null;
    await calm();
    return true;
  }

  /** Operate a control according to its type. */
  function use(control) {
    if (control.matches("select")) {
      control.selectedIndex = (control.selectedIndex + 1) % control.options.length;
      control.dispatchEvent(new Event("change", { bubbles: true }));
    } else if (control.matches("textarea, input:not([type='checkbox'], [type='radio'])")) {
      control.focus();
      document.execCommand("insertText", false, "x");
    } else {
      control.click();
    }
  }

  /** Click a link and return where it leads; the page stays. */
  function leadsTo(link) {
    let to = null;
    const { pushState, replaceState } = history;
    const note = (_state, _title, url) => {
      to = new URL(url, location.href).href;
    };
    history.pushState = note;
    history.replaceState = note; // for a link to the current page
    const onClick = (event) => {
      to = event.defaultPrevented ? to : link.href;
      event.preventDefault();
    };
    addEventListener("click", onClick);
    use(link);
    removeEventListener("click", onClick);
    Object.assign(history, { pushState, replaceState });
    return to;
  }

  /**
   * Operate a control, after those that make it appear.
   *
   * The targets of links to `known` addresses were checked before. If `stays`, such a link is
   * clicked, but the page stays.
   *
   * Returns `effect`, which is null if there was none; `lost` if the control is not there any
   * more; `url` and `heading` of the page that it leads to, or "known" as the heading of a known
   * address; `appeared`, the keys of new controls, and those of them that are `covered`.
   */
  async function operate(key, openers, address, known, stays) {
    const outcome = await attempt(key, openers, address, known, stays);
    return { ...outcome, isSignedIn: localStorage.getItem("cruddur.signed-in") !== null };
  }

  /** Whether a link leads to a known address. It is clicked, but the page stays. */
  const isKnown = (link, known) => known.includes(link.href) && leadsTo(link) === link.href;

  /** The keys of those controls that can be reached and are links to known addresses. */
  async function knownLinks(keys, address, known) {
    if (!isTidy && !(await tidy(address))) {
      return [];
    }
    isTidy = true;
    const found = keys.filter((key) => {
      const control = find(key);
      return control !== undefined && canBeReached(control) && isKnown(control, known);
    });
    await calm(); // the clicks have rendered the page again
    return found;
  }

  async function attempt(key, openers, address, known, stays) {
    if (!isTidy && !(await tidy(address))) {
      return { lost: true, missing: address };
    }
    isTidy = false;
    for (const opener of openers) {
      await until(() => find(opener) !== undefined, PATIENCE / 4);
      const control = find(opener);
      if (control === undefined) {
        return { lost: true, missing: opener };
      }
      use(control);
      await calm();
    }
    await until(() => find(key) !== undefined, PATIENCE / 4);
    const control = find(key);
    if (control === undefined) {
      return { lost: true, missing: key };
    }
    if (!canBeReached(control)) {
      return { effect: null, why: "it cannot be reached" };
    }
    if (control.matches("input[type='file']")) {
      return { effect: "file" };
    }
    if (stays && isKnown(control, known)) {
      isTidy = openers.length === 0;
      await calm();
      return { effect: "goes", url: control.href, heading: "known" };
    }
    const there = new Set(list());
    const before = {
      asked,
      focus: document.activeElement,
      language: document.documentElement.lang,
      title: title(),
      value: valueOf(control),
    };
    let changed = false;
    let left = null;
    const observer = new MutationObserver((records) => {
      changed ||= records.some(({ target: at }) => {
        const element = at instanceof Element ? at : at.parentElement;
        return element?.closest("time") === null; // clocks change all the time
      });
    });
    const watched = { childList: true, subtree: true, characterData: true, attributes: true };
    observer.observe(document.documentElement, watched);
    // Runs after the page's own listeners: a link that they did not handle leaves the page.
    const onClick = (event) => {
      const link = event.target.closest?.("a[href]");
      if (link && !event.defaultPrevented && !link.getAttribute("href").startsWith("#")) {
        left = link.href;
        event.preventDefault();
      }
    };
    addEventListener("click", onClick);
    const replace = history.replaceState;
    let arrived = false;
    history.replaceState = function (...entry) {
      arrived = true;
      return replace.apply(this, entry);
    };
    use(control);
    const effects = () => {
      if (left !== null) {
        return "leaves";
      }
      if (pageOf(location.href) !== pageOf(address)) {
        return "goes";
      }
      if (location.href !== address) {
        return document.getElementById(location.hash.slice(1)) === null ? null : "jumps";
      }
      if (valueOf(control) !== before.value) {
        return "takes";
      }
      if (changed) {
        return "changes";
      }
      if (asked > before.asked) {
        return "asks";
      }
      if (arrived) {
        return "stays"; // a link to the current page
      }
      const { activeElement } = document;
      return activeElement !== before.focus && activeElement !== control ? "focuses" : null;
    };
    await until(() => effects() !== null);
    let effect = effects();
    const url = left ?? location.href;
    const wasKnown = control.href === url && known.includes(url);
    if (effect === "goes" && wasKnown) {
      history.back();
      await until(() => location.href === address);
    } else if (effect === "goes") {
      // Each page has a title of its own. The old page may stay until the new one has loaded.
      await until(() => title() !== null && title() !== before.title);
      elsewhere = title();
    } else {
      await calm();
    }
    if (effect === "takes" && valueOf(control) === before.value) {
      effect = null; // the page rejected the value
    }
    observer.disconnect();
    removeEventListener("click", onClick);
    history.replaceState = replace;
    const isHere = location.href === address;
    // In another language, each control has another name.
    const isSame = document.documentElement.lang === before.language;
    const appeared = isHere && isSame ? list().filter((found) => !there.has(found)) : [];
    return {
      effect,
      url,
      heading: wasKnown ? "known" : (title()?.textContent ?? ""),
      appeared,
      covered: appeared.filter((found) => !canBeReached(find(found))),
    };
  }

  /** The title on the page. */
  const title = () => document.querySelector("h1");

  /** An address without its fragment. */
  const pageOf = (address) => address.replace(/#.*/, "");

  const valueOf = (control) => (control.matches("select") ? control.selectedIndex : control.value);

  /** The element to click for a control. */
  const hittable = (key) => target(find(key));

  return { list, operate, knownLinks, hittable, outOfReach };
})();
