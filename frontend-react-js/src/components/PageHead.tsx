import { type ReactNode, useEffect } from "react";
import { useNavigate } from "react-router";
import { useIsBehind } from "../queries/polling";
import { IconButton } from "./Button";
import "./PageHead.css";

/**
 * The head of a page: its name, also in the window's title, a way back where it is deep, and
 * a mark while the page does not know what happens.
 */
export function PageHead({
  title,
  back,
  children,
}: {
  title: string;
  /** Where to go back to when this page is the first that was opened. */
  back?: string;
  children?: ReactNode;
}) {
  const navigate = useNavigate();
  const isBehind = useIsBehind();
  useTitle(title);
  return (
    <header className="page-head">
      {back !== undefined && (
        <IconButton
          label="Back"
          icon="back"
          onClick={() => void (cameFromHere() ? navigate(-1) : navigate(back))}
        />
      )}
      <h1 dir="auto">{title}</h1>
      {children}
      <p className="page-behind" role="status">
        {isBehind && (
          <>
            Not live<span>: reconnecting…</span>
          </>
        )}
      </p>
    </header>
  );
}

export function useTitle(title: string): void {
  useEffect(() => {
    document.title = `${title} · Cruddur`;
  }, [title]);
}

/** Whether the entry before this one in the window's history is of this page. */
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
