import { screen } from "@testing-library/react";
import { expect, test } from "vitest";
import { crud } from "../support/make";
import { showPage } from "../support/page";
import { ok, servePage } from "../support/server";

test("a visitor reads the newest cruds of everybody", async () => {
  const server = servePage();
  server.on("get", "/api/activities/home", ok([crud()]));
  showPage("/");
  expect(screen.getAllByRole("status")[1]).toHaveTextContent("Loading");
  expect(await screen.findByRole("article", { name: "Crud by Londo Mollari" })).toHaveTextContent(
    "I do not like Santa Claus",
  );
});
