import { screen, within } from "@testing-library/react";
import { beforeEach, describe, expect, test } from "vitest";
import { crud, LONDO, profile, uuid } from "../support/make";
import { showPage } from "../support/page";
import { ok, raw, refuse, type Server, servePage, silent, unreachable } from "../support/server";
import { Sight } from "../support/sight";
import { pass, SECOND, settle } from "../support/time";

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
    expect(sight.count).toBe(1);
    await sight.come();
    await settle();
    expect(listed()).toEqual(["Crud 1", "Crud 2"]);
    expect(sight.count).toBe(0);
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
    expect(sight.count).toBe(0);
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
