// xterm.js as a console needs it. What is printed is untrusted: it may colour and move the cursor,
// and nothing else. It reaches no clipboard, opens no link, and names no window.

import { FitAddon } from "@xterm/addon-fit";
import { SearchAddon } from "@xterm/addon-search";
import { Terminal } from "@xterm/xterm";
import "@xterm/xterm/css/xterm.css";
import { palette } from "./palette";

/** What a page does with its terminal. */
export interface Screen {
  readonly terminal: Terminal;
  /** Fills its element; tells `onSize` where that changed anything. */
  fit(): void;
  /** Looks for a text, upwards first: what was printed last is nearest. */
  find(text: string, forward: boolean): boolean;
  clearFind(): void;
  /** Colours as the theme has them now. */
  recolour(): void;
  screenReader(on: boolean): void;
  dispose(): void;
}

interface Options {
  readonly element: HTMLElement;
  readonly screenReader: boolean;
  readonly onText: (text: string) => void;
  readonly onBinary: (text: string) => void;
  readonly onSize: (rows: number, cols: number) => void;
  /** The reader wants out, by the keyboard. */
  readonly onLeave: () => void;
}

/** Commands to the terminal's window, by their OSC number, that are swallowed. */
const SWALLOWED = [
  0, 1, 2, // titles
  4, 5, 10, 11, 12, 104, 105, 110, 111, 112, // colours: a program shall not hide what it prints
  8, // links
  9, 99, 777, // notifications
  52, // the clipboard
  133, 633, 1337, // what some terminals do beside
];

export function open(options: Options): Screen {
  const terminal = new Terminal({
    cursorBlink: !matchMedia("(prefers-reduced-motion: reduce)").matches,
    fontFamily: getComputedStyle(options.element).fontFamily,
    fontSize: 13,
    lineHeight: 1.25,
    minimumContrastRatio: 4.5,
    screenReaderMode: options.screenReader,
    scrollback: 10_000,
    theme: palette(),
    macOptionIsMeta: true,
    windowOptions: {},
  });
  for (const number of SWALLOWED) terminal.parser.registerOscHandler(number, () => true);
  const fit = new FitAddon();
  const search = new SearchAddon();
  terminal.loadAddon(fit);
  terminal.loadAddon(search);
  terminal.onData(options.onText);
  terminal.onBinary(options.onBinary);
  terminal.onResize(({ rows, cols }) => options.onSize(rows, cols));
  terminal.attachCustomKeyEventHandler((event) => keys(terminal, event, options.onLeave));
  terminal.open(options.element);
  const fitNow = () => {
    // A hidden element has no size, and a terminal of two columns would wrap all that it has.
    if (options.element.clientWidth > 40 && options.element.clientHeight > 40) fit.fit();
  };
  const observer = new ResizeObserver(fitNow);
  observer.observe(options.element);
  fitNow();
  return {
    terminal,
    fit: fitNow,
    find: (text, forward) => (forward ? search.findNext(text) : search.findPrevious(text)),
    clearFind: () => search.clearDecorations(),
    recolour() {
      terminal.options.theme = palette();
    },
    screenReader(on) {
      terminal.options.screenReaderMode = on;
    },
    dispose() {
      observer.disconnect();
      terminal.dispose();
    },
  };
}

/**
 * Ctrl+C copies where something is marked, as people expect of a page; else it is the console's.
 * Ctrl+Shift+C and V are as in other terminals; pasting is the browser's own event, so that the page
 * needs no right to read the clipboard. As Tab is the console's, Ctrl+Shift+E leads out of it.
 */
function keys(terminal: Terminal, event: KeyboardEvent, onLeave: () => void): boolean {
  if (event.type !== "keydown" || !event.ctrlKey || event.altKey) return true;
  const key = event.key.toLowerCase();
  if (event.shiftKey && key === "e") {
    event.preventDefault();
    onLeave();
    return false;
  }
  if (event.shiftKey && key === "v") return false;
  if (key !== "c" || (!event.shiftKey && !terminal.hasSelection())) return true;
  event.preventDefault();
  if (terminal.hasSelection()) {
    void navigator.clipboard?.writeText(terminal.getSelection()).catch(() => undefined);
    terminal.clearSelection();
  }
  return false;
}
