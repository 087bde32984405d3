import { useEffect, useLayoutEffect, useRef, useState, useSyncExternalStore } from "react";
import { useLocation } from "react-router";
import { Button, ButtonLink } from "../components/Button";
import { ComposerSkeleton } from "../components/ComposerSkeleton";
import { Feed } from "../components/Feed";
import { Further } from "../components/Further";
import { Empty } from "../components/List";
import { PageHead } from "../components/PageHead";
import { Tabs } from "../components/Tabs";
import { chosenFeed, type HomeFeed, rememberFeed } from "../feedChoice";
import { t } from "../language";
import { HOME_FEED, useHome, useNewCruds } from "../queries/activities";
import { useCanJoin } from "../queries/instance";
import { useMember, useSession } from "../queries/session";
import "./Home.css";

/** The newest cruds of all users, with the composer for a member. */
export function Home() {
  const member = useMember();
  const { phase } = useSession();
  const { search } = useLocation();
  const chosen = chosenFeed(search);
  useEffect(() => rememberFeed(chosen), [chosen]);
  return (
    <>
      <PageHead title={t.home.title} />
      {phase !== "out" && (
        <Tabs
          label={t.home.feeds}
          current={ADDRESSES[chosen]}
          tabs={[
            [t.home.everyone, ADDRESSES.everyone],
            [t.home.following, ADDRESSES.following],
          ]}
        />
      )}
      {phase === "out" ? (
        <Welcome />
      ) : (
        <div className="home-composer">
          {member === null ? (
            <ComposerSkeleton />
          ) : (
            <Further name="CrudForm" fallback={<ComposerSkeleton />} />
          )}
        </div>
      )}
      {chosen === "following" && phase !== "out" ? <Further name="FollowingFeed" /> : <Everyone />}
    </>
  );
}

const ADDRESSES: Record<HomeFeed, string> = {
  everyone: "/?feed=everyone",
  following: "/?feed=following",
};

function Everyone() {
  const home = useHome();
  return (
    <>
      <NewCruds source={HOME_FEED} feed={home.data} />
      <Feed
        query={home}
        empty={
          <Empty title={t.home.empty}>
            <p>{t.home.beFirst}</p>
          </Empty>
        }
      />
    </>
  );
}

/** A short introduction for visitors on screens without a sidebar. */
function Welcome() {
  const canJoin = useCanJoin();
  return (
    <section className="home-welcome" aria-label={t.home.welcome}>
      <p>{t.home.say}</p>
      {canJoin && <ButtonLink to="/signup">{t.account.join}</ButtonLink>}
      <ButtonLink to="/signin" look="plain">
        {t.account.signIn}
      </ButtonLink>
    </section>
  );
}

/**
 * New cruds. They are added to the feed at once if the viewer is at its top and neither hovers
 * over it nor has the focus in it, because it would move away. Otherwise a button adds them.
 */
export function NewCruds({
  source,
  feed,
}: {
  source: Parameters<typeof useNewCruds>[0];
  feed: Parameters<typeof useNewCruds>[1];
}) {
  const { found, isGap, show } = useNewCruds(source, feed);
  const isAtTop = useSyncExternalStore(onScroll, () => scrollY < NEAR);
  const { announced, announce } = useAnnouncement();
  const unannounced = useRef(0); // cruds added to the feed since the last announcement
  const count = found.length;
  useLayoutEffect(() => {
    if (count > 0) {
      announce(describe(unannounced.current + count, isGap), found[0]?.uuid ?? "");
      if (isAtTop && document.querySelector(IN_USE) === null) {
        unannounced.current += count;
        show();
      }
    }
  });
  // biome-ignore lint/correctness/useExhaustiveDependencies: runs after each announcement.
  useEffect(() => {
    unannounced.current = 0;
  }, [announced]);
  return (
    <>
      <p className="unseen" role="status">
        {/* A new element for each announcement, so that the same words are read out again. */}
        <span key={announced.id}>{announced.words}</span>
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
  return t.home.newCruds(count, isMore ? "+" : "");
}

/** Milliseconds between two announcements, so that a busy feed does not talk all the time. */
const ANNOUNCE_EVERY = 10_000;

/** The text for screen readers, and a function that announces the latest text when it is time. */
function useAnnouncement() {
  const [announced, setAnnounced] = useState({ words: "", id: "" });
  const next = useRef(announced);
  const last = useRef(announced);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(
    () => () => {
      clearTimeout(timer.current);
      timer.current = undefined;
    },
    [],
  );
  const update = () => {
    timer.current = undefined;
    if (next.current !== last.current) {
      last.current = next.current;
      timer.current = setTimeout(update, ANNOUNCE_EVERY);
      setAnnounced(next.current);
    }
  };
  return {
    announced,
    announce: (words: string, id: string) => {
      if (next.current.words !== words || next.current.id !== id) {
        next.current = { words, id };
        if (timer.current === undefined) {
          update();
        }
      }
    },
  };
}

/** Pixels from the top within which the viewer counts as being at the top. */
const NEAR = 120;

const IN_USE = ".feed:hover, .feed:focus-within";

function onScroll(listener: () => void): () => void {
  addEventListener("scroll", listener, { passive: true });
  return () => removeEventListener("scroll", listener);
}
