// Errors of the page itself. This script runs first, so that it also reports a script that cannot
// be loaded or parsed.

const fault = /** @type {HTMLElement} */ (document.getElementById("fault"));
const what = /** @type {HTMLElement} */ (document.getElementById("fault-what"));

let exception = ""; // outside a refresh, until the user opens another page
let failure = ""; // of the last refresh

function show() {
  what.textContent = exception || failure;
  fault.hidden = !what.textContent;
}

/** @param {unknown} error the error of the last refresh, or null */
export function setFailure(error) {
  failure = error === null ? "" : String(error);
  show();
}

export function forgetExceptions() {
  exception = "";
  show();
}

// Events of elements that cannot be loaded do not bubble, so they are captured.
addEventListener(
  "error",
  (event) => {
    if (event.target instanceof HTMLScriptElement) exception = `${event.target.src} cannot be loaded`;
    else if (event instanceof ErrorEvent) exception = String(event.error ?? event.message);
    else return;
    show();
  },
  true,
);
addEventListener("unhandledrejection", (event) => {
  exception = String(event.reason);
  show();
});
