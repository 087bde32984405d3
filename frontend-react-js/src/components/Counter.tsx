import { t } from "../language";
import "./Counter.css";

/** How many characters (code points) are left; read out only when they run short. */
export function Counter({ count, max }: { count: number; max: number }) {
  const left = max - count;
  const isShort = left <= 20;
  return (
    <span className={`counter ${left < 0 ? "counter-over" : isShort ? "counter-short" : ""}`}>
      <svg aria-hidden="true" viewBox="0 0 24 24" width="22" height="22">
        <circle className="counter-track" cx="12" cy="12" r="9.5" pathLength="100" />
        <circle
          className="counter-fill"
          cx="12"
          cy="12"
          r="9.5"
          pathLength="100"
          strokeDasharray={`${Math.min(100, (100 * count) / max)} 100`}
        />
      </svg>
      <span aria-hidden="true">{left}</span>
      <span className="unseen" role="status">
        {isShort && (left < 0 ? t.composer.charactersOver(-left) : t.composer.charactersLeft(left))}
      </span>
    </span>
  );
}
