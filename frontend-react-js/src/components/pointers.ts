import { type PointerEvent, useRef } from "react";

interface Point {
  readonly x: number;
  readonly y: number;
}

/**
 * The handlers of an element that is dragged with one pointer, and pinched with two.
 *
 * A pointer that begins on a child with `data-corner` drags the corner.
 */
export function usePointers({
  unit,
  onMove,
  onDragCorner,
  onPinch,
}: {
  /** The pixels on screen that one unit of the distances below has. */
  unit: () => number;
  onMove: (x: number, y: number) => void;
  onDragCorner: (x: number, y: number) => void;
  /** The two pointers are this many times as far apart as before. */
  onPinch: (growth: number) => void;
}) {
  const down = useRef(new Map<number, Point>());
  const isCorner = useRef(false);
  const release = ({ pointerId }: PointerEvent) => {
    down.current.delete(pointerId);
  };
  return {
    onPointerDown: (event: PointerEvent) => {
      event.currentTarget.setPointerCapture(event.pointerId);
      isCorner.current = event.target instanceof Element && event.target.matches("[data-corner]");
      down.current.set(event.pointerId, at(event));
    },
    onPointerMove: (event: PointerEvent) => {
      const before = down.current.get(event.pointerId);
      if (before === undefined) {
        return;
      }
      const now = at(event);
      down.current.set(event.pointerId, now);
      const other = [...down.current].find(([id]) => id !== event.pointerId)?.[1];
      if (other !== undefined) {
        onPinch(distance(now, other) / Math.max(1, distance(before, other)));
        return;
      }
      const [x, y] = [(now.x - before.x) / unit(), (now.y - before.y) / unit()];
      (isCorner.current ? onDragCorner : onMove)(x, y);
    },
    onPointerUp: release,
    onPointerCancel: release,
  };
}

function at({ clientX, clientY }: PointerEvent): Point {
  return { x: clientX, y: clientY };
}

function distance(one: Point, other: Point): number {
  return Math.hypot(one.x - other.x, one.y - other.y);
}
