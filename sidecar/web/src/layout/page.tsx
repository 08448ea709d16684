// A page's frame: its title in the tab and as the first heading, what can be done beside it.

import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";

/** Whether a page was shown before: the first one does not take the focus. */
let shown = false;

export function Page(props: {
  /** The first heading. */
  title: string;
  /** Where the page belongs, for the tab's title: the app. */
  of?: string;
  /** Shown in place of the title, where that is more than words. */
  heading?: ComponentChildren;
  /** Beside the heading. */
  actions?: ComponentChildren;
  /** Whether the heading is for screen readers only, because the tab above says the same. */
  quiet?: boolean;
  children: ComponentChildren;
}) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = [props.title, props.of, "Vial"].filter(Boolean).join(" · ");
  }, [props.title, props.of]);
  useEffect(() => {
    // Someone who cannot see the page change hears where they are now.
    if (shown && !document.querySelector("dialog[open]")) heading.current?.focus({ preventScroll: true });
    shown = true;
  }, []);
  return (
    <div class="page">
      <div class={props.quiet ? "page-head page-head-quiet" : "page-head"}>
        <h1 ref={heading} tabIndex={-1} class={props.quiet ? "sr-only" : undefined}>
          {props.heading ?? props.title}
        </h1>
        {props.actions && <div class="page-actions">{props.actions}</div>}
      </div>
      {props.children}
    </div>
  );
}
