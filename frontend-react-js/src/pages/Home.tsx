import { useEffect, useLayoutEffect, useRef, useState, useSyncExternalStore } from "react";
import { Button, ButtonLink } from "../components/Button";
import { CrudForm } from "../components/CrudForm";
import { Feed } from "../components/Feed";
import { Empty } from "../components/List";
import { PageHead } from "../components/PageHead";
import { useHome, useNewCruds } from "../queries/activities";
import { useMember, useSession } from "../queries/session";
import "./Home.css";

/** The newest cruds of everybody, and where a member writes the next. */
export function Home() {
  const member = useMember();
  const { phase } = useSession();
  const home = useHome();
  return (
    <>
      <PageHead title="Home" />
      {member !== null && (
        <div className="home-composer">
          <CrudForm />
        </div>
      )}
      {phase === "out" && <Welcome />}
      <NewCruds home={home} />
      <Feed
        query={home}
        empty={
          <Empty title="All forgotten">
            <p>Nothing is alive here just now. Say something, it will not last.</p>
          </Empty>
        }
      />
    </>
  );
}

/** What this is, where no sidebar says so. */
function Welcome() {
  return (
    <section className="home-welcome" aria-label="Welcome">
      <p>Say it now. Regret it? No worries, we’ll forget it.</p>
      <ButtonLink to="/signup">Join now</ButtonLink>
      <ButtonLink to="/signin" look="plain">
        Sign in
      </ButtonLink>
    </section>
  );
}

/**
 * What came meanwhile: in its place for who is at the top and has nothing of the feed under
 * hand, where it would move away; else behind a button.
 */
function NewCruds({ home }: { home: ReturnType<typeof useHome> }) {
  const { found, isGap, show } = useNewCruds(home.data);
  const isAtTop = useSyncExternalStore(onScroll, () => scrollY < NEAR);
  const { said, say } = useSaying();
  const unsaid = useRef(0); // what came to its place since something was said
  const count = found.length;
  useLayoutEffect(() => {
    if (count > 0) {
      say(describe(unsaid.current + count, isGap), found[0]?.uuid ?? "");
      if (isAtTop && document.querySelector(IN_USE) === null) {
        unsaid.current += count;
        show();
      }
    }
  });
  // biome-ignore lint/correctness/useExhaustiveDependencies: each time that something is said.
  useEffect(() => {
    unsaid.current = 0;
  }, [said]);
  return (
    <>
      <p className="unseen" role="status">
        {/* Anew for each lot, so that it is read out also when the words are the same. */}
        <span key={said.by}>{said.words}</span>
      </p>
      {count > 0 && (
        <div className="home-new">
          <Button
            onClick={() => {
              show();
              scrollTo(0, 0);
            }}
          >
            {describe(count, isGap)}
          </Button>
        </div>
      )}
    </>
  );
}

function describe(count: number, isMore: boolean): string {
  return count === 1 ? "1 new crud" : `${count}${isMore ? "+" : ""} new cruds`;
}

/** Milliseconds between two things that are read out: nobody can listen to a busy hour. */
const SAY_EVERY = 10_000;

/** What is read out, and a way to have the latest read out, at once or when it is time. */
function useSaying() {
  const [said, setSaid] = useState({ words: "", by: "" });
  const next = useRef(said);
  const last = useRef(said);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(
    () => () => {
      clearTimeout(timer.current);
      timer.current = undefined;
    },
    [],
  );
  const speak = () => {
    timer.current = undefined;
    if (next.current !== last.current) {
      last.current = next.current;
      timer.current = setTimeout(speak, SAY_EVERY);
      setSaid(next.current);
    }
  };
  return {
    said,
    say: (words: string, by: string) => {
      if (next.current.words !== words || next.current.by !== by) {
        next.current = { words, by };
        if (timer.current === undefined) {
          speak();
        }
      }
    },
  };
}

/** Pixels from the top within which one is still at it. */
const NEAR = 120;

const IN_USE = ".feed:hover, .feed:focus-within";

function onScroll(listener: () => void): () => void {
  addEventListener("scroll", listener, { passive: true });
  return () => removeEventListener("scroll", listener);
}
