// xterm.js writes style sheets, which the Content-Security-Policy allows on the console's page alone.
// That policy is the document's: so the console's page is loaded anew where another one was loaded,
// and so is the next page after it.

import { useEffect } from "preact/hooks";

const CONSOLE = /^\/apps\/[^/]+\/console\/?$/;

/** Whether the document that was loaded is a console's. */
function loadedHere(): boolean {
  const [entry] = performance.getEntriesByType("navigation");
  if (entry === undefined) return true;
  try {
    return CONSOLE.test(new URL(entry.name).pathname);
  } catch {
    return true;
  }
}

/** Whether a terminal may be made; where not, the page is on its way to be loaded anew. */
export function useOwnDocument(): boolean {
  const here = loadedHere();
  useEffect(() => {
    if (!here) location.reload();
    return () => {
      if (!CONSOLE.test(location.pathname)) location.reload();
    };
  }, []);
  return here;
}
