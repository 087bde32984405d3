import { type RefObject, useEffect, useLayoutEffect, useRef, useState } from "react";
import { useIsPast } from "./Clock";
import "./Fading.css";

/** Milliseconds that something takes to fade. Fading.css has the same value. */
const FADE_TIME = 700;

/**
 * Whether something is fading because it has expired, and whether it has faded. What had expired
 * before it was first rendered does not fade.
 */
export function useFading(time: string | null): { isFading: boolean; isOver: boolean } {
  const isFading = useIsPast(time);
  const [isOver, setOver] = useState(isFading);
  useEffect(() => {
    const timer = isFading ? setTimeout(() => setOver(true), FADE_TIME) : undefined;
    return () => clearTimeout(timer);
  }, [isFading]);
  return { isFading, isOver };
}

/** The element that fades. Fading.css closes its gap, beginning with its height. */
export function useFadingBox<E extends HTMLElement>(isFading: boolean): RefObject<E | null> {
  const box = useRef<E>(null);
  useLayoutEffect(() => {
    if (isFading) {
      box.current?.style.setProperty("--fading-height", `${box.current.offsetHeight}px`);
    }
  }, [isFading]);
  return box;
}
