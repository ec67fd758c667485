import type { RefObject } from "preact";
import { useEffect, useLayoutEffect, useState } from "preact/hooks";

/** Whether anybody can see the element: it is on the screen, and the tab is shown. */
export function useSeen(element: RefObject<Element>): boolean {
  const [inSight, setInSight] = useState(false);
  const [hidden, setHidden] = useState(document.hidden);
  // At once what the observer says a frame or two later: a picture is asked for that much sooner.
  useLayoutEffect(() => setInSight(element.current !== null && isInSight(element.current)), []);
  useEffect(() => {
    const observer = new IntersectionObserver((entries) => setInSight(entries.some((one) => one.isIntersecting)));
    if (element.current) observer.observe(element.current);
    const onVisibility = (): void => setHidden(document.hidden);
    document.addEventListener("visibilitychange", onVisibility);
    return () => {
      observer.disconnect();
      document.removeEventListener("visibilitychange", onVisibility);
    };
  }, []);
  return inSight && !hidden;
}

function isInSight(element: Element): boolean {
  const { top, bottom, left, right } = element.getBoundingClientRect();
  return bottom > 0 && right > 0 && top < innerHeight && left < innerWidth && right > left;
}
