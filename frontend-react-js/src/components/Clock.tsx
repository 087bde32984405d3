/** Times that keep running. Each re-renders only when its text changes. */

import { useEffect, useState, useSyncExternalStore } from "react";
import { onTick, serverNow, tickedNow } from "../clock";
import { t } from "../language";
import { exactTime, goneTime, lifeLeft, timeAgo, timeLeft, timeSince } from "../text/time";
import "./Clock.css";

/** The age of something in short: "5m". The tooltip has the exact time. */
export function Since({ time }: { time: string }) {
  return <Age time={time} format={timeSince} />;
}

/** The age of something in a sentence: "5 min ago". */
export function Ago({ time }: { time: string }) {
  return <Age time={time} format={timeAgo} />;
}

function Age({ time, format }: { time: string; format: (iso: string, now: number) => string }) {
  const words = useSyncExternalStore(onTick, () => format(time, tickedNow()));
  return (
    <time className="since" dateTime={time} title={exactTime(time)}>
      {words}
    </time>
  );
}

/**
 * The time left, with a bomb whose fuse shows the share of the life that is left. If the start
 * of the life is not known (`from` is null), the fuse is full.
 */
export function Countdown({ from, to }: { from: string | null; to: string }) {
  const words = useSyncExternalStore(onTick, () => timeLeft(to, tickedNow()));
  const left = useSyncExternalStore(onTick, () =>
    from === null ? 1 : hundredth(lifeLeft(from, to, tickedNow())),
  );
  const minutes = useSyncExternalStore(onTick, () =>
    Math.ceil((Date.parse(to) - tickedNow()) / 60_000),
  );
  // The bar shows the share that is left; the color shows how soon, for a month as for an hour.
  const mood = minutes <= 1 ? "last" : minutes <= HOUR ? "soon" : minutes <= DAY ? "calm" : "far";
  return (
    <time
      className={`countdown countdown-${mood}`}
      dateTime={to}
      title={t.time.expires(exactTime(to))}
      style={
        mood === "far" ? undefined : { backgroundSize: from === null ? "0" : `${left * 100}% 100%` }
      }
    >
      <Bomb left={left} />
      <span>
        {t.time.left(words, (left) => (
          <span className="unseen">{left}</span>
        ))}
      </span>
    </time>
  );
}

/** Minutes. */
const HOUR = 60;
const DAY = 24 * HOUR;

/** When something that starts now will be gone: "Gone Saturday 14:20". */
export function GoneIn({ milliseconds }: { milliseconds: number }) {
  return useSyncExternalStore(onTick, () => {
    const now = tickedNow();
    return goneTime(now + milliseconds, now);
  });
}

/** When something will be gone: "Gone Saturday 14:20". */
export function GoneAt({ time }: { time: string }) {
  return useSyncExternalStore(onTick, () => goneTime(Date.parse(time), tickedNow()));
}

/** Whether a time has passed; turns true within a few milliseconds of it. */
export function useIsPast(time: string | null): boolean {
  const [isPast, setPast] = useState(() => time !== null && Date.parse(time) <= serverNow());
  useEffect(() => {
    if (time === null) {
      return;
    }
    let timer: ReturnType<typeof setTimeout>;
    const wait = () => {
      const left = Date.parse(time) - serverNow();
      setPast(left <= 0);
      if (left > 0) {
        timer = setTimeout(wait, Math.min(left, MAX_TIMER));
      }
    };
    wait();
    return () => clearTimeout(timer);
  }, [time]);
  return isPast;
}

/** Milliseconds. The clock may be corrected in between, and a longer timer would overflow. */
const MAX_TIMER = 60_000;

const hundredth = (share: number) => Math.round(share * 100) / 100;

/** The fuse is a half circle. What is left of it runs from the neck to the spark. */
function Bomb({ left }: { left: number }) {
  const angle = Math.PI * (1 - left);
  return (
    <svg className="bomb" aria-hidden="true" viewBox="0 0 32 32" width="22" height="22">
      <circle className="bomb-body" cx="13" cy="20" r="9.5" />
      <path className="bomb-shine" d="M7.5 19a6 6 0 0 1 4-5" />
      <path className="bomb-neck" d="m17 9.8 4.2 4.2" />
      <path
        className="bomb-fuse"
        d="M19 11a5 5 0 0 1 10 0"
        pathLength="1"
        strokeDasharray={`${left} 1`}
      />
      <circle
        className="bomb-spark"
        cx={24 + 5 * Math.cos(angle)}
        cy={11 - 5 * Math.sin(angle)}
        r="2.4"
      />
    </svg>
  );
}
