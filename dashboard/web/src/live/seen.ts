import type { RefObject } from "preact";
import { useEffect, useState } from "preact/hooks";

/** Whether anybody can see the element: it is on the screen, and the tab is shown. */
export function useSeen(element: RefObject<Element>): boolean {
  const [inSight, setInSight] = useState(false);
  const [hidden, setHidden] = useState(document.hidden);
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
