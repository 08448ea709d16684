// Short sentences about what was just done. A screen reader is told; they go by themselves.

import { signal } from "@preact/signals";
import { Button } from "./button";
import { Icon } from "./icon";

type Toast = { id: number; text: string; kind: "good" | "error" };
const toasts = signal<readonly Toast[]>([]);
let last = 0;

export function toast(text: string, kind: Toast["kind"] = "good"): void {
  last += 1;
  const id = last;
  toasts.value = [...toasts.value.slice(-2), { id, text, kind }];
  setTimeout(() => dismiss(id), kind === "error" ? 12_000 : 6000);
}

function dismiss(id: number): void {
  toasts.value = toasts.value.filter((it) => it.id !== id);
}

export function Toasts() {
  return (
    <div class="toasts" role="status" aria-live="polite">
      {toasts.value.map((it) => (
        <div key={it.id} class={`toast toast-${it.kind}`}>
          <Icon name={it.kind === "good" ? "check" : "cross"} />
          <span>{it.text}</span>
          <Button kind="quiet" small icon="cross" label="Dismiss" onClick={() => dismiss(it.id)} />
        </div>
      ))}
    </div>
  );
}
