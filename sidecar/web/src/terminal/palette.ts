// The terminal's colours in either scheme: those of the logs, from the style sheet.

import type { ITheme } from "@xterm/xterm";
import { colours } from "../layout/scheme";

const NAMES = [
  "black", "red", "green", "yellow", "blue", "magenta", "cyan", "white",
  "brightBlack", "brightRed", "brightGreen", "brightYellow", "brightBlue", "brightMagenta",
  "brightCyan", "brightWhite",
] as const;

export function palette(): ITheme {
  const named = colours(["--term-back", "--term-text", "--term-mark", ...NAMES.map((_, index) => `--sgr-${index}`)]);
  const theme: ITheme = {
    background: named["--term-back"] ?? "#000",
    foreground: named["--term-text"] ?? "#fff",
    cursor: named["--term-text"] ?? "#fff",
    cursorAccent: named["--term-back"] ?? "#000",
    selectionBackground: named["--term-mark"] ?? "#555",
  };
  NAMES.forEach((name, index) => {
    const colour = named[`--sgr-${index}`];
    if (colour !== undefined) theme[name] = colour;
  });
  return theme;
}
