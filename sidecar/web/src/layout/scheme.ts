// Colours for what is drawn without a style sheet: canvases and the terminal.

import { computed, signal } from "@preact/signals";
import { theme } from "./theme";

const system = signal<"light" | "dark">("light");
if (typeof matchMedia !== "undefined") {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const tell = () => {
    system.value = dark.matches ? "dark" : "light";
  };
  tell();
  dark.addEventListener("change", tell);
}

/** Which of the two is seen now. */
export const scheme = computed<"light" | "dark">(() => (theme.value === "system" ? system.value : theme.value));

/** Colours of the style sheet, by the names of their properties, as they are in the scheme of now. */
export function colours<N extends string>(names: readonly N[]): Record<N, string> {
  const probe = document.createElement("span");
  document.body.append(probe);
  const found = {} as Record<N, string>;
  for (const name of names) {
    probe.style.color = `var(${name})`;
    found[name] = getComputedStyle(probe).color;
  }
  probe.remove();
  return found;
}
