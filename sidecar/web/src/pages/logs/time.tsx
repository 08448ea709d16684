// The way to a time.

import { useState } from "preact/hooks";
import { Button } from "../../ui/button";
import { Dialog } from "../../ui/dialog";
import { TextField } from "../../ui/field";

const QUICK = [
  ["5 min ago", 5],
  ["1 h ago", 60],
  ["6 h ago", 360],
  ["1 d ago", 1440],
] as const;

export function TimeDialog({ onGo, onClose }: { onGo: (time: Date) => Promise<void>; onClose: () => void }) {
  const [text, setText] = useState(local(new Date(Date.now() - 3_600_000)));
  const time = new Date(text);
  const wrong = Number.isNaN(time.getTime());
  const future = !wrong && time.getTime() > Date.now();
  function go(to: Date) {
    onClose();
    void onGo(to);
  }
  return (
    <Dialog
      title="Go to a time"
      onClose={onClose}
      footer={
        <>
          <Button onClick={onClose}>Not now</Button>
          <Button kind="primary" type="submit" form="log-time" disabled={wrong || future}>Go there</Button>
        </>
      }
    >
      <form
        id="log-time"
        class="form"
        onSubmit={(event) => {
          event.preventDefault();
          if (!wrong && !future) go(time);
        }}
      >
        <div class="row-actions">
          {QUICK.map(([name, minutes]) => (
            <Button key={minutes} small onClick={() => go(new Date(Date.now() - minutes * 60_000))}>{name}</Button>
          ))}
        </div>
        <TextField
          label="Time"
          type="datetime-local"
          value={text}
          onValue={setText}
          hint={`In your zone, ${Intl.DateTimeFormat().resolvedOptions().timeZone}.`}
          error={wrong ? "This is no time." : future ? "That is in the future." : undefined}
        />
        <p class="hint">The lines written from then on are shown, by what the log itself knows of its times.</p>
      </form>
    </Dialog>
  );
}

/** As `datetime-local` has it. */
function local(time: Date): string {
  const two = (it: number) => String(it).padStart(2, "0");
  return `${time.getFullYear()}-${two(time.getMonth() + 1)}-${two(time.getDate())}T${two(time.getHours())}:${two(time.getMinutes())}`;
}
