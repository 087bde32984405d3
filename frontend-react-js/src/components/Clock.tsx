/** Times that go on while one looks at them. Each re-renders only when its words change. */

import { useEffect, useState, useSyncExternalStore } from "react";
import { onTick, serverNow, tickedNow } from "../clock";
import { exactTime, lifeLeft, timeLeft, timeSince } from "../text/time";
import "./Clock.css";

/** How long ago something was; exactly, when one points at it. */
export function Since({ time }: { time: string }) {
  const words = useSyncExternalStore(onTick, () => timeSince(time, tickedNow()));
  return (
    <time className="since" dateTime={time} title={exactTime(time)}>
      {words}
    </time>
  );
}

/**
 * The bomb, its fuse as long as the life that is left, and that time in words. Where it is
 * not known when the life began, the fuse is whole.
 */
export function Countdown({ from, to }: { from: string | null; to: string }) {
  const words = useSyncExternalStore(onTick, () => timeLeft(to, tickedNow()));
  const left = useSyncExternalStore(onTick, () =>
    from === null ? 1 : hundredth(lifeLeft(from, to, tickedNow())),
  );
  const minutes = useSyncExternalStore(onTick, () =>
    Math.ceil((Date.parse(to) - tickedNow()) / 60_000),
  );
  // The bar tells the share, the colour how soon it is, for a month as for an hour.
  const mood = minutes <= 1 ? "last" : minutes <= 60 ? "soon" : "calm";
  return (
    <time
      className={`countdown countdown-${mood}`}
      dateTime={to}
      title={`Gone ${exactTime(to)}`}
      style={{ backgroundSize: from === null ? "0" : `${left * 100}% 100%` }}
    >
      <Bomb left={left} />
      <span>
        {words}
        <span className="unseen"> left</span>
      </span>
    </time>
  );
}

/** Whether a moment has come; turns true within some milliseconds of it. */
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
        timer = setTimeout(wait, Math.min(left, LONGEST_TIMER));
      }
    };
    wait();
    return () => clearTimeout(timer);
  }, [time]);
  return isPast;
}

/** Milliseconds; the clock may be set right meanwhile, and a longer timer overflows. */
const LONGEST_TIMER = 60_000;

const hundredth = (share: number) => Math.round(share * 100) / 100;

/** The fuse is half a circle; what is left of it runs from the neck to the spark. */
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
