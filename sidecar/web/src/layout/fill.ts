// What fills the window below itself, as a log or a terminal does.

import type { RefObject } from "preact";
import { useLayoutEffect } from "preact/hooks";

/** Keeps an element as high as the window has room for, and no lower than a few lines. */
export function useFill(ref: RefObject<HTMLElement | null>, below = 24, least = 280): void {
  useLayoutEffect(() => {
    const fill = () => {
      const it = ref.current;
      if (it === null) return;
      const above = it.getBoundingClientRect().top + scrollY;
      const height = visualViewport?.height ?? innerHeight;
      it.style.height = `${Math.max(least, Math.floor(height - above - below))}px`;
    };
    fill();
    const observer = new ResizeObserver(fill);
    // What is above may grow: a notice appears, controls wrap.
    const around = ref.current?.parentElement;
    if (around) observer.observe(around);
    addEventListener("resize", fill);
    visualViewport?.addEventListener("resize", fill);
    return () => {
      observer.disconnect();
      removeEventListener("resize", fill);
      visualViewport?.removeEventListener("resize", fill);
    };
  }, []);
}
