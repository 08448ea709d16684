// The terminal's colours in either theme: those of the logs, read from the style sheet.

import type { ITheme } from "@xterm/xterm";

const NAMES = [
  "black", "red", "green", "yellow", "blue", "magenta", "cyan", "white",
  "brightBlack", "brightRed", "brightGreen", "brightYellow", "brightBlue", "brightMagenta",
  "brightCyan", "brightWhite",
] as const;

export function palette(): ITheme {
  const style = getComputedStyle(document.documentElement);
  const read = (name: string) => style.getPropertyValue(name).trim();
  const theme: ITheme = {
    background: read("--term-back"),
    foreground: read("--term-text"),
    cursor: read("--term-text"),
    cursorAccent: read("--term-back"),
    selectionBackground: read("--term-mark"),
  };
  NAMES.forEach((name, index) => {
    theme[name] = read(`--sgr-${index}`);
  });
  return theme;
}
