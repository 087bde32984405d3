/**
 * Record what the page does as spans: its load, interactions, calls, and cruds that arrive.
 *
 * A browser has no context that follows asynchronous work. So a call belongs to the newest
 * interaction if it begins while other calls of that interaction are open, or at most `REST` after
 * its last activity.
 */

import { startExporter, timings } from "./exporter";
import type { Call, Context, Recorder } from "./trace";
import { newContext } from "./trace";
import { watchVitals } from "./vitals";

/** Milliseconds without activity after which an interaction is over. */
const REST = 100;
/** Milliseconds within which a crud that arrived is rendered, unless the page does not list it. */
const MAX_WAIT = 10_000;
/** Maximum number of cruds that wait to be rendered. */
const MAX_WAITING = 50;
/** Maximum number of errors that one visit reports. */
const MAX_ERRORS = 20;

const CLIENT = 3;

/** The load of the page, or an interaction, with the calls that it causes. */
interface Activity {
  readonly context: Context;
  readonly start: number;
  end: number;
  /** The number of its calls under way. */
  open: number;
  /** Whether it caused anything; otherwise it is not recorded. */
  hasEffect: boolean;
  readonly record: (activity: Activity) => void;
}

/** Start to record; `page` is the context of the page's load. Stops with `signal`. */
export function startRecorder(page: Context, signal?: AbortSignal): Recorder {
  const exporter = startExporter(signal);
  const options = { capture: true, ...(signal && { signal }) };
  const waiting = new Map<string, { readonly parent: string; readonly at: number }>();
  const activities = new Map<string, Activity>();
  let path = location.pathname;
  let errors = 0;
  let current = begin(page, 0, recordLoad);
  current.hasEffect = true;
  touch(current);

  function begin(context: Context, start: number, record: Activity["record"]): Activity {
    const activity = { context, start, end: start, open: 0, hasEffect: false, record };
    activities.set(context.span, activity);
    return activity;
  }

  /** Extend an activity to now; it is over when nothing happens for a while. */
  function touch(activity: Activity): void {
    const end = performance.now();
    activity.end = end;
    setTimeout(() => {
      if (activity.open === 0 && activity.end === end) {
        finish(activity);
      }
    }, REST);
  }

  function finish(activity: Activity): void {
    if (activities.delete(activity.context.span) && activity.hasEffect) {
      activity.record(activity);
    }
  }

  function recordLoad({ context }: Activity): void {
    const [entry] = performance.getEntriesByType("navigation");
    const load = entry as PerformanceNavigationTiming | undefined;
    if (load === undefined) {
      return;
    }
    const attributes = { "app.screen.name": screen() };
    exporter.addSpan({
      context,
      name: "documentLoad",
      start: load.startTime,
      end: load.loadEventEnd || load.domInteractive,
      attributes,
      events: timings(load, ["domInteractive", "domContentLoadedEventEnd", "domComplete"]),
    });
    const server = load.serverTiming?.find(({ name }) => name === "traceparent");
    const [, trace, span] = server?.description.split("-") ?? [];
    exporter.addSpan({
      context: newContext(context.trace),
      parent: context.span,
      name: "documentFetch",
      kind: CLIENT,
      start: load.fetchStart,
      end: load.responseEnd,
      attributes: {
        ...attributes,
        "http.request.method": "GET",
        "http.response.status_code": load.responseStatus,
        "http.response.body.size": load.encodedBodySize,
      },
      events: timings(load, ["requestStart", "responseStart"]),
      ...(trace && span && { link: { trace, span } }),
    });
  }

  /** Begin an interaction. A click that submits a form is one. */
  function interact(event: Event): void {
    const start = event.timeStamp;
    if (event.type === "submit" && start - current.start < REST) {
      return;
    }
    const widget = event.type === "popstate" ? "" : describe(event.target);
    const name = widget ? `${event.type} ${widget}` : event.type;
    const attributes = {
      "app.screen.name": screen(),
      ...(widget && { "app.widget.name": widget }),
    };
    const context = newContext();
    current = begin(context, start, ({ end }) => {
      exporter.addSpan({ context, name, start, end, attributes });
    });
    touch(current);
  }

  addEventListener("click", interact, options);
  addEventListener("submit", interact, options);
  document.addEventListener(
    "visibilitychange",
    () => document.visibilityState === "hidden" && [...activities.values()].forEach(finish),
    options,
  );
  addEventListener("error", ({ error }) => fail(error), options);
  addEventListener("unhandledrejection", ({ reason }) => fail(reason), options);
  watchVitals(signal, (attributes) => {
    exporter.addLog({ event: "browser.web_vital", context: page, attributes });
  });

  function fail(error: unknown): void {
    if (!(error instanceof Error) || ++errors > MAX_ERRORS) {
      return; // the text of other values may be a user's
    }
    exporter.addLog({
      event: "exception",
      context: activities.has(current.context.span) ? current.context : page,
      attributes: {
        "app.screen.name": screen(),
        "exception.type": error.name,
        "exception.message": redact(error.message),
        // Chromium's begins with the message.
        "exception.stacktrace": redact(error.stack?.replace(error.message, "") ?? ""),
      },
    });
  }

  return {
    cause: () => (activities.has(current.context.span) ? current.context : undefined),

    beginCall(cause) {
      const activity = activities.get(cause?.span ?? "");
      if (activity !== undefined) {
        activity.open += 1;
        activity.hasEffect = true;
      }
    },

    endCall(call) {
      const activity = activities.get(call.cause?.span ?? "");
      if (activity !== undefined) {
        activity.open -= 1;
        touch(activity);
      }
      const { context, cause, method, template, start, end, status, reason } = call;
      const error = reason || (status >= 400 ? String(status) : "");
      exporter.addSpan({
        context,
        ...(cause && { parent: cause.span }),
        name: `${method} ${template}`,
        kind: CLIENT,
        isError: error !== "" && error !== "AbortError",
        start,
        end,
        attributes: {
          "http.request.method": method,
          "url.template": template,
          "url.full": publicUrl(call),
          ...(status > 0 && { "http.response.status_code": status }),
          ...(error && { "error.type": error }),
        },
        url: location.origin + call.path,
      });
    },

    showPage() {
      const end = performance.now();
      if (location.pathname === path || !activities.has(current.context.span)) {
        return;
      }
      path = location.pathname;
      current.hasEffect = true;
      const { context, start } = current;
      exporter.addSpan({
        context: newContext(context.trace),
        parent: context.span,
        name: `navigate ${screen()}`,
        start,
        end,
        attributes: { "app.screen.name": screen() },
      });
      touch(current);
    },

    receiveCrud(uuid, traceparent, at) {
      if (document.visibilityState === "visible") {
        if (waiting.size >= MAX_WAITING) {
          waiting.clear(); // the page does not list them
        }
        waiting.set(uuid, { parent: traceparent, at });
      }
    },

    showCrud(uuid) {
      const crud = waiting.get(uuid);
      if (crud === undefined) {
        return;
      }
      waiting.delete(uuid);
      const [, trace = "", parent = ""] = crud.parent.split("-");
      // The frame that has the card is painted before the next callback of this kind.
      requestAnimationFrame(() =>
        setTimeout(() => {
          const end = performance.now();
          if (end - crud.at < MAX_WAIT) {
            exporter.addSpan({
              context: newContext(trace),
              parent,
              name: "render crud",
              start: crud.at,
              end,
              attributes: { "app.event.kind": "crud", "app.screen.name": screen() },
            });
          }
        }),
      );
    },

    interact,
    fail,
  };
}

/** The address without what is in it: `/@:at/status/:uuid`. */
function screen(): string {
  const segments = location.pathname
    .split("/")
    .map((segment) =>
      segment.startsWith("@")
        ? ":at"
        : /^[0-9a-f]{8}-/.test(segment)
          ? ":uuid"
          : /^[a-z]{0,16}$/.test(segment)
            ? segment
            : "*",
    );
  return segments.join("/");
}

/** The element that the user acted on, by its tag and its class, which are never a user's text. */
function describe(target: EventTarget | null): string {
  const element =
    target instanceof Element ? target.closest("a, button, form, input, article, [role]") : null;
  return element === null ? "" : [element.localName, ...element.classList].slice(0, 2).join(".");
}

/** The URL of a call without its query; without its path if that has a private parameter. */
function publicUrl({ path, template }: Call): string {
  const isPublic = !/\{(?!uuid|handle|message_group_uuid)/.test(template);
  return location.origin + (isPublic ? path.replace(/\?.*/, "") : template);
}

/** A quotation, up to the end of the text if it has no end. */
const QUOTED = /(?<!\w)["'`“‘].*?(?:["'`”’](?!\w)|$)/gs;

/** Remove what the text of an error quotes, except for names, and what the user has typed. */
function redact(text: string): string {
  const fields = document.querySelectorAll<HTMLInputElement>("input, textarea");
  const plain = text.replace(QUOTED, (quoted) =>
    /^.[\w$]+.$/.test(quoted) ? quoted : "[redacted]",
  );
  return [...fields].reduce(
    (rest, { value }) => (value.length < 3 ? rest : rest.replaceAll(value, "[redacted]")),
    plain,
  );
}
