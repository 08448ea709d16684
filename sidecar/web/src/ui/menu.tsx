// A button that opens a short list of things to do, by mouse, touch and keyboard.

import type { ComponentChildren } from "preact";
import { useEffect, useId, useRef, useState } from "preact/hooks";
import { Icon, type IconName } from "./icon";

export type MenuItem = { label: string; icon?: IconName; hint?: string; disabled?: boolean; onSelect: () => void };

export function Menu(props: { label: string; children: ComponentChildren; items: readonly MenuItem[]; class?: string }) {
  const [open, setOpen] = useState(false);
  const root = useRef<HTMLDivElement>(null);
  const id = useId();
  useEffect(() => {
    if (!open) return;
    root.current?.querySelector<HTMLElement>("[role=menuitem]")?.focus();
    const outside = (event: Event) => {
      if (!root.current?.contains(event.target as Node)) setOpen(false);
    };
    document.addEventListener("pointerdown", outside);
    document.addEventListener("focusin", outside);
    return () => {
      document.removeEventListener("pointerdown", outside);
      document.removeEventListener("focusin", outside);
    };
  }, [open]);
  function close() {
    setOpen(false);
    root.current?.querySelector("button")?.focus();
  }
  function keys(event: KeyboardEvent) {
    if (!open) return;
    const items = [...(root.current?.querySelectorAll<HTMLElement>("[role=menuitem]") ?? [])];
    const at = items.indexOf(document.activeElement as HTMLElement);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: items.length - 1 }[event.key];
    if (event.key === "Escape") {
      event.preventDefault();
      event.stopPropagation();
      close();
    } else if (to !== undefined) {
      event.preventDefault();
      items[(to + items.length) % items.length]?.focus();
    }
  }
  return (
    <div ref={root} class={props.class ? `menu ${props.class}` : "menu"} onKeyDown={keys}>
      <button
        type="button"
        class="button button-quiet"
        aria-haspopup="menu"
        aria-expanded={open}
        aria-controls={open ? id : undefined}
        aria-label={props.label}
        title={props.label}
        onClick={() => setOpen(!open)}
      >
        {props.children}
      </button>
      {open && (
        <ul id={id} role="menu" class="menu-list" aria-label={props.label}>
          {props.items.map((it) => (
            <li key={it.label} role="none">
              <button
                type="button"
                role="menuitem"
                tabIndex={-1}
                aria-disabled={it.disabled ? true : undefined}
                onClick={() => {
                  if (it.disabled) return;
                  close();
                  it.onSelect();
                }}
              >
                {it.icon && <Icon name={it.icon} />}
                <span>
                  {it.label}
                  {it.hint && <span class="hint">{it.hint}</span>}
                </span>
              </button>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}
