import { type ReactNode, useEffect } from "react";
import { useNavigate } from "react-router";
import { t } from "../language";
import { useUnreadMessages } from "../queries/messages";
import { useUnreadNotifications } from "../queries/notifications";
import { useIsBehind } from "../queries/polling";
import { IconButton } from "./Button";
import "./PageHead.css";

/**
 * The head of a page: its title, also in the window's title; a back button on pages below the
 * top level; a mark while the page may be out of date.
 */
export function PageHead({
  title,
  windowTitle = title,
  back,
  children,
}: {
  title: string;
  /** The title in the window's title, if it says more. */
  windowTitle?: string;
  /** Where the back button leads if this is the first page that was opened. */
  back?: string;
  children?: ReactNode;
}) {
  const navigate = useNavigate();
  const isBehind = useIsBehind();
  useTitle(windowTitle);
  return (
    <header className="page-head">
      {back !== undefined && (
        <IconButton
          label={t.layout.back}
          icon="back"
          onClick={() => void (cameFromHere() ? navigate(-1) : navigate(back))}
        />
      )}
      <h1 dir="auto">{title}</h1>
      {children}
      <p className="page-behind" role="status">
        {isBehind && t.layout.notLive((more) => <span>{more}</span>)}
      </p>
    </header>
  );
}

/** Set the title of the window: how much is unread, and the name of the page. */
export function useTitle(title: string): void {
  const unread = useUnreadNotifications() + useUnreadMessages();
  useEffect(() => {
    document.title = `${unread > 0 ? `(${unread}) ` : ""}${title} · Cruddur`;
  }, [title, unread]);
}

/**
 * Remove what the service has put into the head of the document about the page that was opened
 * first. It is wrong for every other page, and must not outlive a crud.
 */
export function removeServedHead(): void {
  for (const element of document.head.querySelectorAll("[data-page]")) {
    element.remove();
  }
}

/** Whether the previous entry of the window's history belongs to this app. */
function cameFromHere(): boolean {
  const state: unknown = history.state;
  return (
    typeof state === "object" &&
    state !== null &&
    "idx" in state &&
    typeof state.idx === "number" &&
    state.idx > 0
  );
}
