import { fireEvent, screen, within } from "@testing-library/react";
import { describe, expect, test } from "vitest";
import { Countdown } from "../../src/components/Clock";
import { CrudCard } from "../../src/components/CrudCard";
import { counts, crud, ownCrud, profile, signIn, uuid } from "../support/make";
import { type Shown, show, showPage } from "../support/page";
import { ok, servePage } from "../support/server";
import { at, DAY, HOUR, MINUTE, pass, passUntil, SECOND, settle } from "../support/time";

const ADDRESS = `/@londo/status/${uuid(100)}`;

function card(): HTMLElement {
  return screen.getByRole("article", { name: "Crud by Londo Mollari" });
}

/** Everything in the caches, as text. */
function kept({ client }: Shown): string {
  const all = client.getQueryCache().getAll();
  return JSON.stringify(all.map(({ state }) => state.data ?? null));
}

describe("a countdown", () => {
  const SPARE = 250;
  test.each([
    [7 * DAY, 6 * DAY, "6d 0h", "far"],
    [7 * DAY, DAY + MINUTE + SECOND, "1d 0h", "far"],
    [7 * DAY, DAY, "1d 0h", "calm"],
    [7 * DAY, HOUR, "1h 0m", "soon"],
    [DAY, 6 * HOUR, "6h 0m", "calm"],
    [DAY, 4 * HOUR, "4h 0m", "calm"],
    [DAY, 20 * MINUTE, "20m 00s", "soon"],
    [HOUR, HOUR, "1h 0m", "soon"],
    [HOUR, 2 * MINUTE, "2m 00s", "soon"],
    [HOUR, MINUTE, "1m 00s", "last"],
    [HOUR, SECOND, "1s", "last"],
    [HOUR, 0, "0s", "last"],
    [HOUR, -MINUTE, "0s", "last"],
  ])("of a life of %i ms with %i ms left", (life, left, words, mood) => {
    show(<Countdown from={at(left - life)} to={at(left)} />);
    const time = screen.getByRole("time");
    expect(time).toHaveTextContent(`${words} left`);
    expect(time).toHaveAttribute("datetime", at(left));
    expect(time).toHaveClass(`countdown-${mood}`);
  });

  test("counts down, and changes its color in the last minute", async () => {
    show(<Countdown from={at(-58 * MINUTE)} to={at(62 * SECOND + SPARE)} />);
    const time = screen.getByRole("time");
    expect(time).toHaveTextContent("1m 03s left");
    await pass(SECOND);
    expect(time).toHaveTextContent("1m 02s left");
    expect(time).toHaveClass("countdown-soon");
    await pass(2 * SECOND);
    expect(time).toHaveTextContent("1m 00s left");
    expect(time).toHaveClass("countdown-last");
    await pass(MINUTE);
    expect(time).toHaveTextContent("0s left");
  });
});

describe("a crud in a list", () => {
  test("shows its author, age, text and time left", () => {
    servePage();
    show(<CrudCard crud={crud()} />);
    expect(within(card()).getByRole("link", { name: "Londo Mollari" })).toHaveAttribute(
      "href",
      "/@londo",
    );
    expect(within(card()).getByRole("link", { name: "1m" })).toHaveAttribute("href", ADDRESS);
    expect(card()).toHaveTextContent("@londo");
    expect(card()).toHaveTextContent("I do not like Santa Claus");
    expect(card()).toHaveTextContent("6d 23h left");
  });

  test("links tags, mentions and addresses", () => {
    show(<CrudCard crud={crud({ message: "#Crud by @Worf: https://cruddur.com/#about." })} />);
    const links = within(card()).getAllByRole("link");
    const hrefs = new Map(links.map((link) => [link.textContent, link.getAttribute("href")]));
    expect(hrefs.get("#Crud")).toBe("/search?term=%23Crud");
    expect(hrefs.get("@Worf")).toBe("/@worf");
    expect(hrefs.get("https://cruddur.com/#about")).toBe("https://cruddur.com/#about");
    expect(screen.getByRole("link", { name: "https://cruddur.com/#about" })).toHaveAttribute(
      "rel",
      "nofollow noopener noreferrer",
    );
  });

  test("shows markup as text", () => {
    show(<CrudCard crud={crud({ message: "<b>bold</b> & <img src=x onerror=alert(1)>" })} />);
    expect(card()).toHaveTextContent("<b>bold</b> & <img src=x onerror=alert(1)>");
    expect(within(card()).queryByRole("img")).not.toBeInTheDocument();
  });

  test("shows at most one blank line in a row", () => {
    show(<CrudCard crud={crud({ message: "One\n\nTwo\n \n\n\nThree\nFour" })} />);
    expect(card().querySelector(".rich")?.textContent).toBe("One\n\nTwo\n\nThree\nFour");
  });

  test("shows the preview of its link, and room for the picture", () => {
    const preview = {
      url: "https://news.example/story",
      site: "news.example",
      title: "<b>News</b>",
      description: "What happened",
      picture_url: "/api/previews/1.jpg",
    };
    show(<CrudCard crud={crud({ preview })} />);
    const link = within(card()).getByRole("link", {
      name: "<b>News</b> What happened news.example",
    });
    expect(link).toHaveAttribute("href", "https://news.example/story");
    expect(link).toHaveAttribute("rel", "nofollow noopener noreferrer ugc");
    expect(link).toHaveAttribute("target", "_blank");
    const picture = link.querySelector("img");
    expect(picture).toHaveAttribute("src", "/api/previews/1.jpg");
    expect(picture).toHaveAttribute("loading", "lazy");
    expect(picture).toHaveAttribute("width", "600");
    expect(picture).toHaveAttribute("height", "315");
  });

  test("shows the preview without a picture or a description", () => {
    const url = "https://news.example/";
    const preview = {
      url,
      site: "news.example",
      title: "News",
      description: "",
      picture_url: null,
    };
    show(<CrudCard crud={crud({ preview })} />);
    expect(
      within(card()).getByRole("link", { name: "News news.example" }).querySelector("img"),
    ).toBeNull();
  });

  test("shows who reposted it", () => {
    show(<CrudCard crud={crud({ reposted_by: "worf", reposted_by_name: "Worf" })} />);
    expect(screen.getByRole("link", { name: "Worf reposted" })).toHaveAttribute("href", "/@worf");
  });

  test("shows which followed tag it has", () => {
    show(<CrudCard crud={crud({ followed_tag: "tea" })} />);
    expect(screen.getByRole("link", { name: "You follow #tea" })).toHaveAttribute(
      "href",
      "/search?term=%23tea",
    );
  });

  test("that is being sent has no actions", () => {
    const { address } = show(<CrudCard crud={{ ...crud(), pending: true }} />);
    expect(card()).toHaveAttribute("aria-busy", "true");
    expect(card()).toHaveTextContent("sending…");
    expect(within(card()).queryByRole("button")).not.toBeInTheDocument();
    fireEvent.click(screen.getByText("I do not like Santa Claus"));
    expect(address()).toBe("/");
  });

  test("that is being deleted is hidden", () => {
    show(<CrudCard crud={{ ...crud(), deleting: true }} />);
    expect(screen.queryByRole("article")).not.toBeInTheDocument();
  });
});

describe("a click on a crud", () => {
  test("opens it", async () => {
    const { user, address } = show(<CrudCard crud={crud()} />);
    await user.click(screen.getByText("I do not like Santa Claus"));
    expect(address()).toBe(ADDRESS);
  });

  test("on a link in it follows the link", async () => {
    const message = "Ask @worf";
    const { user, address } = show(<CrudCard crud={crud({ message })} />);
    await user.click(screen.getByRole("link", { name: "@worf" }));
    expect(address()).toBe("/@worf");
  });

  test("on a button in it presses the button", async () => {
    signIn();
    const server = servePage();
    server.on("put", "/api/activities/{uuid}/like", ok(counts({ liked: true, likes_count: 1 })));
    const { user, address } = show(<CrudCard crud={crud()} />);
    await user.click(screen.getByRole("button", { name: "Like, 0 likes" }));
    expect(server.sent("put", "/api/activities/{uuid}/like")).toHaveLength(1);
    expect(address()).toBe("/");
  });

  test("in its dialog does not open it", async () => {
    signIn();
    const { user, address } = show(<CrudCard crud={crud()} />);
    await user.click(screen.getByRole("button", { name: "Reply, 0 replies" }));
    await user.click(within(screen.getByRole("dialog")).getByText("I do not like Santa Claus"));
    expect(address()).toBe("/");
  });

  test("that ends a text selection does not open it", () => {
    const { address } = show(<CrudCard crud={crud()} />);
    const words = screen.getByText("I do not like Santa Claus");
    getSelection()?.selectAllChildren(words);
    fireEvent.click(words);
    expect(address()).toBe("/");
    getSelection()?.removeAllRanges();
    fireEvent.click(words);
    expect(address()).toBe(ADDRESS);
  });
});

describe("an expiring crud", () => {
  test("fades on time, then is removed from every cache", async () => {
    signIn();
    const server = servePage();
    const short = crud({ message: "Short #life", expires_at: at(MINUTE + 500) });
    const long = ownCrud({ uuid: uuid(101) });
    server.on("get", "/api/activities/home", ok([long, short]));
    server.on("get", "/api/activities/@{handle}", ok({ profile: profile(), activities: [short] }));
    const shown = showPage("/@londo");
    await screen.findByRole("article", { name: "Crud by Londo Mollari" });
    await shown.user.click(screen.getByRole("link", { name: "Home" }));
    await screen.findByRole("article", { name: "Crud by Worf" });
    await passUntil(MINUTE + 499);
    expect(card()).not.toHaveClass("crud-fading");
    expect(card()).toHaveTextContent("1s left");
    await pass(1);
    expect(card()).toHaveClass("crud-fading");
    await pass(699);
    expect(card()).toHaveClass("crud-fading");
    expect(kept(shown)).toContain("Short #life");
    await pass(1);
    expect(screen.queryByText("Short", { exact: false })).not.toBeInTheDocument();
    expect(kept(shown)).not.toContain("Short #life");
    expect(screen.getByRole("article", { name: "Crud by Worf" })).toBeInTheDocument();
  });

  test("is subtracted from its parent's reply count", async () => {
    const server = servePage();
    const parent = crud({ replies_count: 1 });
    const reply = ownCrud({
      uuid: uuid(101),
      reply_to_activity_uuid: parent.uuid,
      expires_at: at(10 * SECOND),
    });
    server.on(
      "get",
      "/api/activities/@{handle}/status/{uuid}",
      ok({ activity: parent, replies: [reply] }),
    );
    showPage(ADDRESS);
    expect(await screen.findByRole("button", { name: "Reply, 1 reply" })).toBeInTheDocument();
    await pass(11 * SECOND);
    await settle();
    expect(screen.getByRole("button", { name: "Reply, 0 replies" })).toBeInTheDocument();
    expect(screen.getByText("No replies yet")).toBeInTheDocument();
  });

  test("is not rendered if it has already expired", async () => {
    servePage();
    show(<CrudCard crud={crud({ expires_at: at(-SECOND) })} />);
    expect(screen.queryByRole("article")).not.toBeInTheDocument();
  });

  test("is not listed again by the poll for new cruds", async () => {
    const server = servePage();
    server.on("get", "/api/activities/home", ok([crud({ expires_at: at(10 * SECOND) })]));
    showPage("/");
    await screen.findByRole("article");
    await pass(11 * SECOND);
    await settle();
    expect(screen.getByText("No cruds right now")).toBeInTheDocument();
    await pass(SECOND);
    expect(screen.getByText("No cruds right now")).toBeInTheDocument();
  });
});
