// Which page an address is. Links are ordinary `<a href>`: clicks on them are taken over here.

import { computed, signal } from "@preact/signals";
import type { ComponentType } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { Params } from "./match";

export { match } from "./match";

type Place = { pathname: string; search: string; hash: string };
const here = (): Place => ({
  pathname: location.pathname,
  search: location.search,
  hash: location.hash,
});

/** Where the browser is. */
export const place = signal<Place>(here());
export const pathname = computed(() => place.value.pathname);
export const query = computed(() => new URLSearchParams(place.value.search));

/** Goes to an address of these pages. */
export function navigate(to: string, options: { replace?: boolean } = {}): void {
  const url = new URL(to, location.href);
  if (url.origin !== location.origin) return;
  const target = url.pathname + url.search + url.hash;
  if (options.replace) history.replaceState(history.state, "", target);
  else if (target !== location.pathname + location.search + location.hash) {
    history.pushState(null, "", target);
    scrollTo(0, 0);
  }
  place.value = here();
}

/** Takes over clicks on links, and the browser's back and forward. */
export function startRouter(): void {
  addEventListener("popstate", () => {
    place.value = here();
  });
  document.addEventListener("click", (event) => {
    if (event.defaultPrevented || event.button !== 0) return;
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    const link = (event.target as Element | null)?.closest("a");
    if (!link?.href || link.target || link.hasAttribute("download")) return;
    const url = new URL(link.href);
    if (url.origin !== location.origin || url.pathname.startsWith("/v1/")) return;
    if (url.hash && url.pathname === location.pathname && url.search === location.search) return;
    event.preventDefault();
    navigate(url.href);
  });
}

export type PageProps = { params: Params };
export type Page = ComponentType<PageProps>;

/** A page whose code is loaded when it is first needed. */
export function lazy(load: () => Promise<{ default: Page }>, waiting: ComponentType): Page {
  let loaded: Page | undefined;
  return function Lazy(props: PageProps) {
    const [, done] = useState(0);
    const [failed, fail] = useState(false);
    useEffect(() => {
      if (loaded) return;
      let gone = false;
      load().then(
        (module) => {
          loaded = module.default;
          if (!gone) done((count) => count + 1);
        },
        () => !gone && fail(true),
      );
      return () => {
        gone = true;
      };
    }, []);
    const Loaded = loaded;
    const Waiting = waiting;
    if (Loaded) return <Loaded {...props} />;
    if (failed) {
      return (
        <p role="alert" class="notice notice-error">
          This page's code could not be loaded: Vial may just have been updated.{" "}
          <a href={location.href} target="_self">Load the page anew</a>.
        </p>
      );
    }
    return <Waiting />;
  };
}
