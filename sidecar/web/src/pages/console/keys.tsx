// Keys that phones lack, below the terminal.

/** Whether the next key is one with Ctrl. */
export type Sticky = { ctrl: boolean };

/** What is typed, with Ctrl where that was pressed before. */
export function held(sticky: Sticky, text: string): string {
  if (!sticky.ctrl) return text;
  sticky.ctrl = false;
  const code = text.toUpperCase().charCodeAt(0);
  if (text.length === 1 && code >= 0x40 && code <= 0x5f) return String.fromCharCode(code & 0x1f);
  return text;
}

const KEYS = [
  ["Esc", "\x1b", "Escape"],
  ["Tab", "\t", "Tab"],
  ["↑", "\x1b[A", "Up"],
  ["↓", "\x1b[B", "Down"],
  ["←", "\x1b[D", "Left"],
  ["→", "\x1b[C", "Right"],
  ["^C", "\x03", "Control C"],
  ["|>", "|> ", "Pipe"],
] as const;

export function Keys(props: { ctrl: boolean; onCtrl: () => void; onKeys: (keys: string) => void }) {
  // The terminal keeps the focus, so that the phone's keyboard stays.
  const stay = (event: Event) => event.preventDefault();
  return (
    <div class="console-keys" role="toolbar" aria-label="Keys">
      <button type="button" class="console-key" aria-pressed={props.ctrl} onPointerDown={stay} onClick={props.onCtrl}>
        Ctrl
      </button>
      {KEYS.map(([name, keys, label]) => (
        <button key={name} type="button" class="console-key" aria-label={label} onPointerDown={stay} onClick={() => props.onKeys(keys)}>
          {name}
        </button>
      ))}
    </div>
  );
}
