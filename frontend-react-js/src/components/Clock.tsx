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

/** The bomb, its fuse as long as the life that is left, and that time in words. */
export function Countdown({ from, to }: { from: string; to: string }) {
  const words = useSyncExternalStore(onTick, () => timeLeft(to, tickedNow()));
  const left = useSyncExternalStore(onTick, () => hundredth(lifeLeft(from, to, tickedNow())));
  const minutes = useSyncExternalStore(onTick, () =>
    Math.ceil((Date.parse(to) - tickedNow()) / 60_000),
  );
  const mood = minutes <= 1 || left < 0.02 ? "last" : minutes <= 60 || left < 0.2 ? "soon" : "calm";
  return (
    <time className={`countdown countdown-${mood}`} dateTime={to} title={`Gone ${exactTime(to)}`}>
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

const FUSE = 16;

function Bomb({ left }: { left: number }) {
  const burnt = FUSE * (1 - left);
  // The fuse runs from the bomb's neck up and over; its end wanders back as it burns.
  const end = Math.PI * (1 - left * 0.75);
  return (
    <svg className="bomb" aria-hidden="true" viewBox="0 0 32 32" width="22" height="22">
      <circle className="bomb-body" cx="13" cy="20" r="9.5" />
      <path className="bomb-shine" d="M7.5 19a6 6 0 0 1 4-5" />
      <path className="bomb-neck" d="m17 9.8 4.2 4.2" />
      <path
        className="bomb-fuse"
        d="M19.5 11.5c1.5-5 8-6.5 9.5-.5"
        pathLength={FUSE}
        strokeDasharray={`${FUSE - burnt} ${FUSE}`}
      />
      <circle
        className="bomb-spark"
        cx={24.2 - 4.7 * Math.cos(Math.PI - end)}
        cy={10.5 - 4.5 * Math.sin(end)}
        r="2.4"
      />
    </svg>
  );
}
