import { fireEvent, screen, waitFor, within } from "@testing-library/react";
import { beforeEach, describe, expect, test } from "vitest";
import { CrudCard } from "../../src/components/CrudCard";
import { CrudForm } from "../../src/components/CrudForm";
import { crud, ownCrud, signIn, uuid, WORF } from "../support/make";
import { show } from "../support/page";
import { ok, type Server, servePage } from "../support/server";

const POST = "/api/activities";
const DRAFT = `cruddur.draft.${WORF.uuid}.crud`;

function picture(number: number, alt: string, width = 40, height = 30) {
  const url = `/api/pictures/${uuid(number)}.jpg`;
  return { url, thumbnail_url: `${url}?small`, alt, width, height };
}

describe("the pictures of a crud", () => {
  test("are named by their texts, or by their numbers", () => {
    show(<CrudCard crud={crud({ pictures: [picture(1, "A red field"), picture(2, "")] })} />);
    const shown = screen.getAllByRole("img");
    expect(shown.map((image) => image.getAttribute("alt"))).toEqual([
      "A red field",
      "Picture 2 of 2",
    ]);
    expect(shown[0]).toHaveAttribute("src", `/api/pictures/${uuid(1)}.jpg?small`);
    expect(screen.getByRole("button", { name: "A red field" })).toBeVisible();
  });

  test("reserve their place by the proportions of the first", () => {
    show(<CrudCard crud={crud({ pictures: [picture(1, "wide", 300, 100)] })} />);
    const place = screen.getByRole("img").closest<HTMLElement>(".pictures");
    expect(place?.style.getPropertyValue("--ratio")).toBe("3");
    expect(place?.style.getPropertyValue("--width")).toBe("300px");
  });

  test("are absent from a crud without any, also from an older server", () => {
    const { pictures: _, ...old } = crud({ pictures: [] });
    show(<CrudCard crud={old} />);
    expect(screen.queryByRole("img")).not.toBeInTheDocument();
  });
});

describe("a draft with pictures", () => {
  let server: Server;

  beforeEach(() => {
    server = servePage();
    signIn();
    sessionStorage.setItem(
      DRAFT,
      JSON.stringify({
        text: "Look",
        key: "key",
        ttl: "1-day",
        pictures: [{ uuid: uuid(1), alt: "", width: 40, height: 30, preview: "blob:gone" }],
      }),
    );
  });

  test("is posted with them after a reload, without their previews", async () => {
    server.on("post", POST, ok(ownCrud()));
    const { user } = show(<CrudForm />);
    const form = within(screen.getByRole("form", { name: "New crud" }));
    expect(form.queryByRole("img")).not.toBeInTheDocument();
    fireEvent.change(form.getByRole("textbox", { name: "Description of Picture 1 of 1" }), {
      target: { value: "A red field" },
    });
    await user.click(form.getByRole("button", { name: "Crud it" }));
    await waitFor(() => expect(sessionStorage.getItem(DRAFT)).toBeNull());
    const [sent] = server.sent("post", POST);
    expect(sent?.body).toEqual({
      message: "Look",
      ttl: "1-day",
      pictures: [{ uuid: uuid(1), alt: "A red field" }],
    });
    expect(sent?.headers.get("Idempotency-Key")).not.toBe("key"); // it is another crud now
    expect(form.queryByRole("textbox", { name: /^Description/ })).not.toBeInTheDocument();
  });

  test("keeps the text when a picture is removed", async () => {
    const { user } = show(<CrudForm />);
    const form = within(screen.getByRole("form", { name: "New crud" }));
    await user.click(form.getByRole("button", { name: "Remove Picture 1 of 1" }));
    expect(form.queryByRole("textbox", { name: /^Description/ })).not.toBeInTheDocument();
    expect(form.getByLabelText("Add pictures")).toHaveFocus();
    expect(JSON.parse(sessionStorage.getItem(DRAFT) ?? "")).toMatchObject({
      text: "Look",
      pictures: [],
    });
  });

  test("of an earlier version of the page is restored", () => {
    sessionStorage.setItem(DRAFT, JSON.stringify({ text: "Old", key: "key", ttl: "1-day" }));
    show(<CrudForm />);
    expect(screen.getByDisplayValue("Old")).toBeVisible();
  });
});
