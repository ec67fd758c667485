/** Dragging a handle by mouse, pen or finger; the map or picture below does not move with it. */

export interface Dragged {
  /** Pixels from the left and upper edge of the window. */
  onMove: (x: number, y: number) => void;
  onEnd: () => void;
}

export function beginDrag(event: PointerEvent, { onMove, onEnd }: Dragged): void {
  if (event.button !== 0 || !(event.currentTarget instanceof Element)) return;
  const handle = event.currentTarget;
  event.preventDefault();
  event.stopPropagation();
  if (handle instanceof HTMLElement || handle instanceof SVGElement) handle.focus();
  handle.setPointerCapture(event.pointerId);
  const move = (moved: Event): void => {
    if (moved instanceof PointerEvent) onMove(moved.clientX, moved.clientY);
  };
  const end = (): void => {
    handle.removeEventListener("pointermove", move);
    handle.removeEventListener("pointerup", end);
    handle.removeEventListener("pointercancel", end);
    onEnd();
  };
  handle.addEventListener("pointermove", move);
  handle.addEventListener("pointerup", end);
  handle.addEventListener("pointercancel", end);
}

/** Steps of an arrow key: right and down are positive; Shift is ten times faster. Null: another key. */
export function arrowStep(event: KeyboardEvent): { x: number; y: number } | null {
  const far = event.shiftKey ? 10 : 1;
  if (event.key === "ArrowLeft") return { x: -far, y: 0 };
  if (event.key === "ArrowRight") return { x: far, y: 0 };
  if (event.key === "ArrowUp") return { x: 0, y: -far };
  if (event.key === "ArrowDown") return { x: 0, y: far };
  return null;
}
