import { describe, expect, test } from "vitest";
import {
  addToProfile,
  append,
  change,
  contains,
  EMPTY_FEED,
  type Feed,
  type FeedPage,
  hasPendingFrom,
  isComplete,
  isListed,
  type ListedCrud,
  prepend,
  remove,
  sortFirstPage,
  subtractFromProfile,
} from "../../src/queries/feeds";
import { crud, profile, uuid } from "../support/make";
import { at, SECOND } from "../support/time";

/** A crud with a number. A higher number is newer. */
function numbered(number: number) {
  return crud({ uuid: uuid(number), created_at: at(number * SECOND) });
}

function feed(...pages: FeedPage[]): Feed {
  return { pages, pageParams: pages.map(() => undefined) };
}

function page(...numbers: number[]): FeedPage {
  return { cruds: numbers.map(numbered), next: null };
}

function uuids(found: Feed | undefined): string[][] | undefined {
  return found?.pages.map(({ cruds }) => cruds.map((listed) => listed.uuid));
}

describe("a feed that is not loaded", () => {
  test("stays undefined", () => {
    expect(prepend(undefined, [crud()])).toBeUndefined();
    expect(append(undefined, crud())).toBeUndefined();
    expect(sortFirstPage(undefined)).toBeUndefined();
    expect(addToProfile(undefined, crud())).toBeUndefined();
    expect(subtractFromProfile(undefined, crud())).toBeUndefined();
  });

  test("lists nothing and is not complete", () => {
    expect(isListed(undefined, uuid(1))).toBe(false);
    expect(hasPendingFrom(undefined, "londo")).toBe(false);
    expect(isComplete(undefined)).toBe(false);
  });
});

describe("the position of a new crud", () => {
  test("is the top, unless a page lists it already", () => {
    const found = prepend(feed(page(3), page(2, 1)), [numbered(4), numbered(2)]);
    expect(uuids(found)).toEqual([
      [uuid(4), uuid(3)],
      [uuid(2), uuid(1)],
    ]);
  });

  test("is the end of the last page for a reply", () => {
    const found = append(feed(page(1), page(2)), numbered(3));
    expect(uuids(found)).toEqual([[uuid(1)], [uuid(2), uuid(3)]]);
  });

  test("follows its age after sorting", () => {
    expect(uuids(sortFirstPage(feed(page(1, 3, 2), page(0))))).toEqual([
      [uuid(3), uuid(2), uuid(1)],
      [uuid(0)],
    ]);
  });
});

describe("a change", () => {
  test("reaches every occurrence of the crud, and leaves the input alone", () => {
    const before = feed({ ...page(1, 2), activity: numbered(1) }, page(1));
    const after = change(before, uuid(1), (listed) => ({ ...listed, likes_count: 7 }));
    expect(after.pages[0]?.activity?.likes_count).toBe(7);
    expect(after.pages.map(({ cruds }) => cruds[0]?.likes_count)).toEqual([7, 7]);
    expect(before.pages[0]?.cruds[0]?.likes_count).toBe(crud().likes_count);
  });

  test("reaches a crud above the subject, and one below a listed reply", () => {
    const reply = { ...numbered(2), replies: [numbered(3)] };
    const before = feed({ ...page(), cruds: [reply], ancestors: [numbered(1)] });
    const like = (listed: ListedCrud) => ({ ...listed, likes_count: 7 });
    const after = [uuid(1), uuid(3)].reduce((found, liked) => change(found, liked, like), before);
    expect(after.pages[0]?.ancestors?.[0]?.likes_count).toBe(7);
    expect(after.pages[0]?.cruds[0]?.replies?.[0]?.likes_count).toBe(7);
    expect([1, 2, 3, 4].map((number) => contains(before, uuid(number)))).toEqual([
      true,
      true,
      true,
      false,
    ]);
  });

  test("to null removes the crud, but marks the subject of the feed", () => {
    const after = change(feed({ ...page(1, 2), activity: numbered(1) }), uuid(1), () => null);
    expect(uuids(after)).toEqual([[uuid(2)]]);
    expect(after.pages[0]?.activity).toMatchObject({ uuid: uuid(1), deleting: true });
  });
});

describe("a removal", () => {
  test("returns the same feed if nothing is removed", () => {
    const before = feed(page(1));
    expect(remove(before, () => false)).toBe(before);
  });

  test("reaches the replies below a listed crud", () => {
    const answered = { ...numbered(1), replies: [numbered(3), numbered(4)] };
    const before = feed({ ...page(2), cruds: [answered, numbered(2)] });
    const after = remove(before, (listed) => listed.uuid === uuid(3));
    expect(uuids(after)).toEqual([[uuid(1), uuid(2)]]);
    expect(after.pages[0]?.cruds[0]?.replies).toEqual([numbered(4)]);
  });

  test("filters every page", () => {
    const after = remove(feed(page(1, 2), page(1)), (listed) => listed.uuid === uuid(1));
    expect(uuids(after)).toEqual([[uuid(2)], []]);
  });
});

describe("the count of a profile", () => {
  const counted = (...numbers: number[]): FeedPage => ({
    ...page(...numbers),
    profile: profile({ cruds_count: 5 }),
  });

  test("grows with a new crud, once", () => {
    const after = addToProfile(feed(counted(1)), numbered(2));
    expect(after?.pages[0]?.profile?.cruds_count).toBe(6);
    expect(addToProfile(after, numbered(2))).toBeUndefined();
  });

  test("shrinks with a removed crud, listed or on a page that is not loaded", () => {
    const partial = feed({ ...counted(1), next: "cursor" });
    expect(subtractFromProfile(feed(counted(1)), numbered(1))?.pages[0]?.profile).toMatchObject({
      cruds_count: 4,
    });
    expect(subtractFromProfile(partial, numbered(2))?.pages[0]?.profile).toMatchObject({
      cruds_count: 4,
    });
  });

  test("does not change for a crud that a complete profile does not list", () => {
    expect(subtractFromProfile(feed(counted(1)), numbered(2))).toBeUndefined();
  });
});

test("the empty feed is complete and accepts cruds", () => {
  expect(isComplete(EMPTY_FEED)).toBe(true);
  expect(uuids(prepend(EMPTY_FEED, [numbered(1)]))).toEqual([[uuid(1)]]);
});
