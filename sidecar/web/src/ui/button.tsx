// Buttons, and links that look like them.

import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { Icon, type IconName } from "./icon";

export type ButtonKind = "plain" | "primary" | "danger" | "quiet";
type Props = {
  kind?: ButtonKind;
  icon?: IconName;
  small?: boolean;
  /** Something is under way: the button waits and says so. */
  busy?: boolean;
  disabled?: boolean;
  children?: ComponentChildren;
  /** What it is called where it shows an icon alone. */
  label?: string;
  class?: string;
  id?: string;
  form?: string;
  "aria-describedby"?: string | undefined;
  "aria-expanded"?: boolean;
  "aria-pressed"?: boolean;
  "aria-controls"?: string;
  onClick?: (event: MouseEvent) => void;
};

function classes(kind: ButtonKind, small: boolean, alone: boolean, extra?: string): string {
  return ["button", `button-${kind}`, small && "button-small", alone && "button-icon", extra]
    .filter(Boolean)
    .join(" ");
}

export function Button(props: Props & { type?: "button" | "submit" }) {
  const { kind = "plain", icon, small, busy, disabled, children, label, type, class: extra, onClick, ...rest } = props;
  return (
    <button
      {...rest}
      type={type ?? "button"}
      class={classes(kind, !!small, !children, extra)}
      disabled={disabled ?? false}
      aria-disabled={busy ? true : undefined}
      aria-busy={busy ? true : undefined}
      aria-label={label}
      title={label}
      onClick={(event) => {
        if (busy) event.preventDefault();
        else onClick?.(event);
      }}
    >
      {busy ? <span class="spinner" aria-hidden="true" /> : icon && <Icon name={icon} />}
      {children}
    </button>
  );
}

export function LinkButton(props: {
  href: string;
  kind?: ButtonKind;
  icon?: IconName;
  small?: boolean;
  download?: boolean;
  children?: ComponentChildren;
  label?: string;
}) {
  const { href, kind = "plain", icon, small, download, children, label } = props;
  return (
    <a
      href={href}
      download={download ? "" : undefined}
      class={classes(kind, !!small, !children)}
      aria-label={label}
      title={label}
    >
      {icon && <Icon name={icon} />}
      {children}
    </a>
  );
}

/** Puts a text on the clipboard, and says so. */
export function CopyButton({ text, label = "Copy", small = true }: { text: string; label?: string; small?: boolean }) {
  const [said, say] = useState("");
  async function copy() {
    try {
      await navigator.clipboard.writeText(text);
      say("Copied");
    } catch {
      say("Not allowed: select and copy it");
    }
    setTimeout(() => say(""), 2500);
  }
  return (
    <span class="copy">
      <Button kind="quiet" small={small} icon={said === "Copied" ? "check" : "copy"} onClick={copy}>
        {said || label}
      </Button>
      <span class="sr-only" role="status">{said}</span>
    </span>
  );
}
