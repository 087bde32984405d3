/** The addresses of the pages. `App.tsx` has the routes. */

import { isBlank } from "./chars";

export function crudAddress(crud: { readonly handle: string; readonly uuid: string }): string {
  return `/@${crud.handle}/status/${crud.uuid}`;
}

export function profileAddress(person: { readonly handle: string }): string {
  return `/@${person.handle}`;
}

export function followsAddress(
  person: { readonly handle: string },
  direction: "followers" | "following",
): string {
  return `${profileAddress(person)}/${direction}`;
}

/** The Atom feed of a profile, which the service renders. */
export function feedAddress(person: { readonly handle: string }): string {
  return `${profileAddress(person)}/feed.atom`;
}

export function conversationAddress(person: { readonly handle: string }): string {
  return `/messages/@${person.handle}`;
}

/** The link of an invitation, whose fragment browsers do not send. */
export function invitationLink(code: string): string {
  return `${location.origin}/signup#${new URLSearchParams({ invitation: code })}`;
}

/** The code of an invitation in the fragment of an address; empty if it has none. */
export function invitationCode(fragment: string): string {
  return new URLSearchParams(fragment.slice(1)).get("invitation") ?? "";
}

export function searchAddress(term: string): string {
  return `/search?${new URLSearchParams({ term })}`;
}

/** The search term in the query of an address; empty if it has no visible character. */
export function searchTerm(query: string): string {
  const term = new URLSearchParams(query).get("term")?.trim() ?? "";
  return isBlank(term) ? "" : term;
}
