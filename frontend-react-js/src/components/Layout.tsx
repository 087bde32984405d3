import { useEffect, useState } from "react";
import { Outlet, useLocation, useNavigate } from "react-router";
import { t } from "../language";
import { useMember, useSession } from "../queries/session";
import { Boundary } from "./Boundary";
import { ComposerSkeleton } from "./ComposerSkeleton";
import { Dialog } from "./Dialog";
import { Further, useIsIdle } from "./Further";
import { Nav } from "./Nav";
import { Sidebar } from "./Sidebar";
import "./Layout.css";

/** The three columns: navigation, page, sidebar. */
export function Layout() {
  const member = useMember();
  const { phase } = useSession();
  const isIdle = useIsIdle();
  const [isComposing, setComposing] = useState(false);
  const { key, pathname } = useLocation();
  const navigate = useNavigate();
  // biome-ignore lint/correctness/useExhaustiveDependencies: a dialog closes when the page changes.
  useEffect(() => setComposing(false), [key]);
  const composes = pathname.startsWith("/messages") ? "message" : "crud";
  const compose = () => {
    const inline = document.querySelector<HTMLTextAreaElement>("main .home-composer textarea");
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
        {t.layout.skip}
      </a>
      {isIdle && (
        <Boundary quiet>
          <Further name="Extras" fallback={null} />
        </Boundary>
      )}
      <Nav
        member={member}
        isKnown={phase !== "restoring"}
        composes={composes}
        onCompose={compose}
      />
      <main id="main" tabIndex={-1}>
        <Boundary key={key}>
          <Outlet />
        </Boundary>
      </main>
      <Boundary quiet>
        <Sidebar member={member} isKnown={phase !== "restoring"} />
      </Boundary>
      {isComposing && member !== null && composes === "message" && (
        <Further name="NewMessage" fallback={null} onClose={() => setComposing(false)} />
      )}
      {isComposing && member !== null && composes === "crud" && (
        <Dialog title={t.composer.crud} onClose={() => setComposing(false)}>
          <Further
            name="CrudForm"
            fallback={<ComposerSkeleton />}
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
