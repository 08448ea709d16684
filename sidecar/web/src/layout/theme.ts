// Light or dark: as the system says, or as the reader chose on this browser.

import { signal } from "@preact/signals";

export type Theme = "system" | "light" | "dark";
const KEY = "vial-theme";

export const theme = signal<Theme>("system");

function kept(): Theme {
  try {
    const value = localStorage.getItem(KEY);
    return value === "light" || value === "dark" ? value : "system";
  } catch {
    return "system";
  }
}

function apply(value: Theme): void {
  theme.value = value;
  if (value === "system") delete document.documentElement.dataset["theme"];
  else document.documentElement.dataset["theme"] = value;
}

export function startTheme(): void {
  apply(kept());
  addEventListener("storage", (event) => {
    if (event.key === KEY) apply(kept());
  });
}

export function chooseTheme(value: Theme): void {
  apply(value);
  try {
    if (value === "system") localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, value);
  } catch {
    // A browser that keeps nothing: it holds until the page is left.
  }
}
