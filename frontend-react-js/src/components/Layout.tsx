import { useState } from "react";
import { Outlet, useLocation, useNavigate } from "react-router";
import { useMember, useSession } from "../queries/session";
import { CrudForm } from "./CrudForm";
import { Dialog } from "./Dialog";
import { Nav } from "./Nav";
import { Sidebar } from "./Sidebar";
import "./Layout.css";

/** The three columns: where to go, what there is, and what else. */
export function Layout() {
  const member = useMember();
  const { phase } = useSession();
  const [isComposing, setComposing] = useState(false);
  const { pathname } = useLocation();
  const navigate = useNavigate();
  const compose = () => {
    const inline = document.querySelector<HTMLTextAreaElement>(
      "main form[aria-label='New crud'] textarea",
    );
    if (inline === null) {
      setComposing(true);
    } else {
      scrollTo(0, 0);
      inline.focus();
    }
  };
  return (
    <div className="layout">
      <a className="skip" href="#main">
        Skip to the cruds
      </a>
      <Nav member={member} isKnown={phase !== "restoring"} onCompose={compose} />
      <main id="main" tabIndex={-1}>
        <Outlet />
      </main>
      <Sidebar member={member} isKnown={phase !== "restoring"} />
      {isComposing && member !== null && (
        <Dialog title="New crud" onClose={() => setComposing(false)}>
          <CrudForm
            autoFocus
            onDone={() => {
              setComposing(false);
              if (pathname !== "/") {
                void navigate("/");
              }
            }}
          />
        </Dialog>
      )}
    </div>
  );
}
