import { useEffect, useState, useSyncExternalStore } from "react";
import { Button, ButtonLink } from "../components/Button";
import { CrudForm } from "../components/CrudForm";
import { Feed } from "../components/Feed";
import { Empty } from "../components/List";
import { PageHead } from "../components/PageHead";
import { useHome, useNewCruds } from "../queries/activities";
import { useMember } from "../queries/session";
import "./Home.css";

/** The newest cruds of everybody, and where a member writes the next. */
export function Home() {
  const member = useMember();
  const home = useHome();
  return (
    <>
      <PageHead title="Home" />
      {member !== null && (
        <div className="home-composer">
          <CrudForm />
        </div>
      )}
      <NewCruds home={home} />
      <Feed
        query={home}
        empty={
          <Empty title="All forgotten">
            <p>Nothing is alive here just now. Say something, it will not last.</p>
            {member === null && <ButtonLink to="/signup">Join now</ButtonLink>}
          </Empty>
        }
      />
    </>
  );
}

/** What came meanwhile: in its place for who is at the top, else behind a button. */
function NewCruds({ home }: { home: ReturnType<typeof useHome> }) {
  const { found, show } = useNewCruds(home.data);
  const isAtTop = useSyncExternalStore(onScroll, () => scrollY < NEAR);
  const [said, setSaid] = useState("");
  const count = found.length;
  const words = count === 1 ? "1 new crud" : `${count} new cruds`;
  useEffect(() => {
    if (count > 0) {
      setSaid(words);
      if (isAtTop) {
        show();
      }
    }
  });
  return (
    <>
      <p className="unseen" role="status">
        {said}
      </p>
      {count > 0 && !isAtTop && (
        <div className="home-new">
          <Button
            onClick={() => {
              show();
              scrollTo(0, 0);
            }}
          >
            {words}
          </Button>
        </div>
      )}
    </>
  );
}

/** Pixels from the top within which one is still at it. */
const NEAR = 120;

function onScroll(listener: () => void): () => void {
  addEventListener("scroll", listener, { passive: true });
  return () => removeEventListener("scroll", listener);
}
