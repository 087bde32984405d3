import { act, screen, within } from "@testing-library/react";
import { beforeEach, describe, expect, test } from "vitest";
import type { Crud } from "../../src/api/wire";
import { crud, LONDO, profile, signIn, uuid } from "../support/make";
import { open, showPage } from "../support/page";
import { ok, raw, refuse, type Server, servePage, silent, unreachable } from "../support/server";
import { ROW_HEIGHT, Sight } from "../support/sight";
import { at, pass, SECOND, settle } from "../support/time";

const PROFILE = "/api/activities/@{handle}";

let server: Server;
let sight: Sight;

beforeEach(() => {
  server = servePage();
  sight = new Sight();
});

function part(...numbers: number[]) {
  const activities = numbers.map((n) => crud({ uuid: uuid(n), message: `Crud ${n}` }));
  return { profile: profile(), activities };
}

function main() {
  return within(screen.getByRole("main"));
}

function listed(): (string | null | undefined)[] {
  return main()
    .queryAllByRole("article")
    .map((article) => article.querySelector(".rich")?.textContent);
}

/** The cursors of all requests for the list. */
function cursors(): (string | null)[] {
  return server.sent("get", PROFILE).map(({ url }) => url.searchParams.get("cursor"));
}

describe("a list", () => {
  test("shows a skeleton until it is loaded", async () => {
    const answer = server.hold("get", PROFILE);
    showPage("/@londo");
    expect(main().getByText("Loading")).toBeInTheDocument();
    expect(listed()).toEqual([]);
    await settle();
    answer.release(ok(part(1)));
    await settle();
    expect(listed()).toEqual(["Crud 1"]);
    expect(main().queryByText("Loading")).not.toBeInTheDocument();
  });

  test("shows a message when it is empty", async () => {
    server.on("get", PROFILE, ok(part()));
    showPage("/@londo");
    expect(await main().findByText("No cruds right now")).toBeInTheDocument();
    expect(main().queryByRole("button", { name: "Show more" })).not.toBeInTheDocument();
  });

  test("is requested three times before it shows an error, and again on demand", async () => {
    server.on("get", PROFILE, unreachable());
    const { user } = showPage("/@londo");
    await settle();
    expect(cursors()).toHaveLength(1);
    expect(main().getByText("Loading")).toBeInTheDocument();
    await pass(10 * SECOND);
    expect(cursors()).toHaveLength(3);
    expect(main().getByRole("alert")).toHaveTextContent("We can’t reach Cruddur.");
    server.on("get", PROFILE, ok(part(1)));
    await user.click(main().getByRole("button", { name: "Try again" }));
    await settle();
    expect(listed()).toEqual(["Crud 1"]);
    expect(main().queryByRole("alert")).not.toBeInTheDocument();
  });

  test("is requested once if a retry would not help", async () => {
    server.on("get", PROFILE, refuse(422, "shape_invalid"));
    showPage("/@londo");
    expect(await main().findByRole("alert")).toHaveTextContent("isn’t available in that form");
    await pass(10 * SECOND);
    expect(cursors()).toHaveLength(1);
  });

  test("is not requested again after a timeout", async () => {
    server.on("get", PROFILE, silent());
    showPage("/@londo");
    await pass(16 * SECOND);
    expect(main().getByRole("alert")).toHaveTextContent("took too long to respond");
    await pass(20 * SECOND);
    expect(cursors()).toHaveLength(1);
  });

  test("shows the trace id only for a server error", async () => {
    server.on("get", PROFILE, raw(502, "<html>"));
    showPage("/@londo");
    await pass(10 * SECOND);
    const [, trace = ""] =
      server.sent("get", PROFILE)[2]?.headers.get("traceparent")?.split("-") ?? [];
    expect(main().getByRole("alert")).toHaveTextContent(`Trace ${trace}`);
  });
});

describe("a long list", () => {
  /** So many cruds that the list is long. */
  const others = Array.from({ length: 100 }, (_, n) => crud({ uuid: uuid(1000 + n) }));

  async function showLong(...cruds: Crud[]) {
    server.on("get", PROFILE, ok({ profile: profile(), activities: [...cruds, ...others] }));
    const shown = showPage("/@londo");
    await main().findAllByRole("article");
    return shown;
  }

  function boxes(): (string | undefined)[] {
    return [...document.querySelectorAll<HTMLElement>(".row")].map((box) => box.style.blockSize);
  }

  test("has boxes of the same height for cruds far from the viewport", async () => {
    const dying = crud({ uuid: uuid(1), expires_at: at(5 * SECOND) });
    const { unmount } = await showLong(dying, crud({ uuid: uuid(2) }));
    await sight.leave();
    expect(listed()).toEqual([]);
    expect(boxes()).toEqual(Array(102).fill(`${ROW_HEIGHT}px`));
    await pass(7 * SECOND); // one expires
    expect(boxes()).toEqual(Array(101).fill(`${ROW_HEIGHT}px`));
    unmount();
    const listedNow = { profile: profile(), activities: [crud({ uuid: uuid(2) }), ...others] };
    server.on("get", PROFILE, ok(listedNow));
    showPage("/@londo");
    await settle();
    expect(boxes()).toEqual(Array(101).fill(`${ROW_HEIGHT}px`));
    await sight.come();
    expect(listed()).toHaveLength(101);
  });

  test("still shows a crud that has the focus or a dialog", async () => {
    signIn();
    const { user } = await showLong(crud({ uuid: uuid(1), message: "In use" }));
    const [first] = main().getAllByRole("article");
    within(first as HTMLElement)
      .getByRole("button", { name: /^Like/ })
      .focus();
    await sight.leave();
    expect(listed()).toEqual(["In use"]);
    await user.click(main().getByRole("button", { name: /^Reply/ }));
    await sight.leave();
    expect(screen.getByRole("dialog")).toBeInTheDocument();
  });
});

test("going back gives the focus to the link through which the viewer left", async () => {
  const cruds = [crud({ uuid: uuid(1) }), crud({ uuid: uuid(2), message: "This one" })];
  server.on("get", "/api/activities/home", ok(cruds));
  server.on(
    "get",
    "/api/activities/@{handle}/status/{uuid}",
    ok({ activity: crud({ uuid: uuid(2) }), replies: [] }),
  );
  const { user } = open("/");
  await user.click(await screen.findByText("This one"));
  expect(location.pathname).toContain("/status/");
  await act(async () => history.back());
  await settle();
  const card = screen.getByText("This one").closest("article");
  expect(card?.querySelector(".crud-time")).toHaveFocus();
});

describe("the next page of a list", () => {
  test("is requested with the cursor of the previous page, until the list ends", async () => {
    const first = ok(part(1, 2), { next: "c/2+" });
    server.on("get", PROFILE, first, ok(part(3), { next: "c3" }), ok(part(4)));
    const { user } = showPage("/@londo");
    await user.click(await main().findByRole("button", { name: "Show more" }));
    await settle();
    expect(listed()).toEqual(["Crud 1", "Crud 2", "Crud 3"]);
    await user.click(main().getByRole("button", { name: "Show more" }));
    await settle();
    expect(listed()).toEqual(["Crud 1", "Crud 2", "Crud 3", "Crud 4"]);
    expect(main().queryByRole("button", { name: "Show more" })).not.toBeInTheDocument();
    expect(cursors()).toEqual([null, "c/2+", "c3"]);
    expect(server.sent("get", PROFILE)[1]?.url.searchParams.get("shape")).toBe("profile");
  });

  test("is requested when the end of the list comes into view", async () => {
    server.on("get", PROFILE, ok(part(1), { next: "c2" }), ok(part(2)));
    showPage("/@londo");
    await main().findByRole("article");
    expect(sight.count(".more")).toBe(1);
    await sight.come();
    await settle();
    expect(listed()).toEqual(["Crud 1", "Crud 2"]);
    expect(sight.count(".more")).toBe(0);
  });

  test("is requested once while it is loading", async () => {
    server.on("get", PROFILE, ok(part(1), { next: "c2" }));
    const { user } = showPage("/@londo");
    await main().findByRole("article");
    const answer = server.hold("get", PROFILE);
    await sight.come();
    await sight.come();
    const more = main().getByRole("button", { name: "Loading more…" });
    expect(more).toHaveAttribute("aria-disabled", "true");
    await user.click(more);
    expect(cursors()).toEqual([null, "c2"]);
    answer.release(ok(part(2)));
    await settle();
    expect(listed()).toEqual(["Crud 1", "Crud 2"]);
  });

  test("that fails to load is requested again only on demand", async () => {
    server.on("get", PROFILE, ok(part(1), { next: "c2" }), refuse(422, "cursor_invalid"));
    const { user } = showPage("/@londo");
    await main().findByRole("article");
    await sight.come();
    await settle();
    expect(main().getByRole("alert")).toHaveTextContent("can’t load more of this list");
    expect(sight.count(".more")).toBe(0);
    expect(listed()).toEqual(["Crud 1"]);
    server.on("get", PROFILE, ok(part(2)));
    await user.click(main().getByRole("button", { name: "Try again" }));
    await settle();
    expect(listed()).toEqual(["Crud 1", "Crud 2"]);
    expect(cursors()).toEqual([null, "c2", "c2"]);
  });

  test("does not repeat a crud of the previous page", async () => {
    server.on("get", PROFILE, ok(part(1, 2), { next: "c2" }), ok(part(2, 3)));
    showPage("/@londo");
    await main().findAllByRole("article");
    await sight.come();
    await settle();
    expect(listed()).toEqual(["Crud 1", "Crud 2", "Crud 3"]);
  });

  test("lists another user's repost of the same crud as its own row", async () => {
    const activities = [
      crud({ uuid: uuid(1), handle: LONDO.handle }),
      crud({ uuid: uuid(1), reposted_by: "worf" }),
    ];
    server.on("get", PROFILE, ok({ profile: profile(), activities }));
    showPage("/@londo");
    await main().findAllByRole("article");
    expect(listed()).toHaveLength(2);
  });
});
