/** Render a component, a page by its address, or the whole app. */

import { type QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { render } from "@testing-library/react";
import userEvent, { type UserEvent } from "@testing-library/user-event";
import { type ReactNode, useEffect } from "react";
import { MemoryRouter, useLocation } from "react-router";
import { vi } from "vitest";
import { App, Pages } from "../../src/App";
import { Notices } from "../../src/components/Notices";
import { createClient } from "../../src/queries/client";

/** What a test can do with a rendered page. */
export interface Shown {
  readonly client: QueryClient;
  readonly user: UserEvent;
  /** The current address. */
  readonly address: () => string;
  readonly unmount: () => void;
}

/** Render a component at an address, with the providers it needs. */
export function show(piece: ReactNode, { address = "/" }: { address?: string } = {}): Shown {
  const client = createClient();
  let now = address;
  const follow = (next: string) => {
    now = next;
  };
  const { unmount } = render(
    <QueryClientProvider client={client}>
      <MemoryRouter initialEntries={[address]}>
        {piece}
        <Notices />
        <Where onMove={follow} />
      </MemoryRouter>
    </QueryClientProvider>,
  );
  return { client, user: user(), address: () => now, unmount };
}

/** Render the page of an address. */
export function showPage(address: string): Shown {
  return show(<Pages />, { address });
}

/** Open the whole app in a browser window at an address. */
export function open(address: string): Omit<Shown, "client"> {
  history.replaceState(null, "", address);
  const { unmount } = render(<App />);
  return { user: user(), address: () => location.pathname + location.search, unmount };
}

function Where({ onMove }: { onMove: (address: string) => void }) {
  const { pathname, search } = useLocation();
  useEffect(() => onMove(pathname + search), [onMove, pathname, search]);
  return null;
}

function user(): UserEvent {
  return userEvent.setup({ advanceTimers: vi.advanceTimersByTime });
}
