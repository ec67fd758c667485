import "./controls.css";

import type { ComponentChildren } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";

interface VirtualProps {
  ids: readonly string[];
  rowHeight: number;
  row: (id: string, index: number) => ComponentChildren;
  /** Row kept in sight when it changes. */
  focus?: string | null;
  label: string;
  class?: string;
  testid?: string;
  onPointerMove?: () => void;
  onPointerLeave?: () => void;
}

/** Rows drawn beyond the visible ones, so that a short scroll shows no gap. */
const SPARE_ROWS = 4;

/** A list of rows of one height of which only the visible ones exist; ten thousand scroll as well as ten. */
export function Virtual(props: VirtualProps) {
  const { ids, rowHeight } = props;
  const box = useRef<HTMLDivElement>(null);
  const [top, setTop] = useState(0);
  const [height, setHeight] = useState(600);

  useLayoutEffect(() => {
    const element = box.current;
    if (!element) return;
    const observer = new ResizeObserver(() => setHeight(element.clientHeight));
    observer.observe(element);
    setHeight(element.clientHeight);
    return () => observer.disconnect();
  }, []);

  useEffect(() => {
    const element = box.current;
    const index = props.focus ? ids.indexOf(props.focus) : -1;
    if (!element || index < 0) return;
    const y = index * rowHeight;
    if (y < element.scrollTop) element.scrollTop = y;
    else if (y + rowHeight > element.scrollTop + element.clientHeight) {
      element.scrollTop = y + rowHeight - element.clientHeight;
    }
  }, [props.focus]);

  const first = Math.max(0, Math.floor(top / rowHeight) - SPARE_ROWS);
  const last = Math.min(ids.length, Math.ceil((top + height) / rowHeight) + SPARE_ROWS);
  return (
    <div
      ref={box}
      class={`virtual ${props.class ?? ""}`}
      data-testid={props.testid}
      onScroll={(event) => setTop(event.currentTarget.scrollTop)}
      onPointerMove={props.onPointerMove}
      onPointerLeave={props.onPointerLeave}
    >
      <div class="virtual-inner" role="list" aria-label={props.label} style={{ height: ids.length * rowHeight }}>
        {ids.slice(first, last).map((id, offset) => (
          <div
            key={id}
            class="virtual-row"
            role="listitem"
            aria-posinset={first + offset + 1}
            aria-setsize={ids.length}
            style={{ top: (first + offset) * rowHeight, height: rowHeight }}
          >
            {props.row(id, first + offset)}
          </div>
        ))}
      </div>
    </div>
  );
}
