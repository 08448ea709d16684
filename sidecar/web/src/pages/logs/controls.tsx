// What is above the lines: which of them are shown, what is searched, where to go.

import { useEffect, useRef } from "preact/hooks";
import { address } from "../../api/client";
import type { Slot } from "../../api/types";
import type { Level } from "../../log/line";
import { Button } from "../../ui/button";
import { count } from "../../ui/format";
import { Icon } from "../../ui/icon";
import { Menu } from "../../ui/menu";
import type { Find } from "./find";

type Props = {
  app: string;
  active: Slot | undefined;
  slot: Slot | undefined;
  onSlot: (slot: Slot | undefined) => void;
  level: Level | undefined;
  onLevel: (level: Level | undefined) => void;
  wrap: boolean;
  onWrap: (wrap: boolean) => void;
  find: Find;
  onKept: () => void;
  onTime: () => void;
};

export function Controls(props: Props) {
  const { app, active, slot, level, wrap, find } = props;
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => {
    // As people expect it of logs. Not where they type something else.
    const slash = (event: KeyboardEvent) => {
      if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
      if (event.target instanceof Element && event.target.closest("input, textarea, select, dialog")) return;
      event.preventDefault();
      input.current?.focus();
      input.current?.select();
    };
    addEventListener("keydown", slash);
    return () => removeEventListener("keydown", slash);
  }, []);
  const named = (it: Slot) => (it === active ? `${it} (active)` : it);
  const download = (it: Slot) => ({
    label: `${it[0]?.toUpperCase()}${it.slice(1)}’s log`,
    hint: it === active ? "the active slot" : "the idle slot",
    onSelect: () => save(address("/v1/apps/{app}/logs/text", { path: { app }, query: { slot: it } }), `${app}-${it}.log`),
  });
  return (
    <div class="log-controls" role="search" aria-label="Logs">
      <div class="log-search">
        <Icon name="search" />
        <input
          ref={input}
          type="search"
          class="input"
          aria-label="Search in the lines"
          placeholder="Search"
          title="Search ( / )"
          spellcheck={false}
          autocomplete="off"
          autoCapitalize="none"
          value={find.text}
          onInput={(event) => find.setText(event.currentTarget.value)}
          onKeyDown={(event) => {
            if (event.key === "Enter") find.next(event.shiftKey ? 1 : -1);
            if (event.key === "Escape") find.setText("");
          }}
        />
      </div>
      {find.text !== "" && (
        <div class="log-found">
          <span class="muted num" role="status">
            {find.at === undefined ? count(find.found, "line") : `${(find.at + 1).toLocaleString("en")} of ${find.found.toLocaleString("en")}`}
          </span>
          <Button small icon="up" label="The match before (Enter)" disabled={find.found === 0} onClick={() => find.next(-1)} />
          <Button small icon="chevron" label="The next match (Shift+Enter)" disabled={find.found === 0} onClick={() => find.next(1)} />
          <label class="log-check">
            <input type="checkbox" checked={find.only} onChange={(event) => find.setOnly(event.currentTarget.checked)} />
            Only these
          </label>
          <Button small onClick={props.onKept}>In all that is kept…</Button>
        </div>
      )}
      <div class="log-filters">
        <select
          class="input"
          aria-label="Slot"
          value={slot ?? ""}
          onChange={(event) => {
            const it = event.currentTarget.value;
            props.onSlot(it === "blue" || it === "green" ? it : undefined);
          }}
        >
          <option value="">Both slots</option>
          <option value="blue">{named("blue")}</option>
          <option value="green">{named("green")}</option>
        </select>
        <select
          class="input"
          aria-label="Level"
          value={level ?? ""}
          onChange={(event) => props.onLevel((event.currentTarget.value || undefined) as Level | undefined)}
        >
          <option value="">Every level</option>
          <option value="info">Info and graver</option>
          <option value="warning">Warnings, errors</option>
          <option value="error">Errors</option>
        </select>
        <label class="log-check">
          <input type="checkbox" checked={wrap} onChange={(event) => props.onWrap(event.currentTarget.checked)} />
          Wrap
        </label>
        <Button small onClick={props.onTime}>Go to a time…</Button>
        <Menu label="Download" class="menu-end" items={[download("blue"), download("green")]}>
          <Icon name="download" />
          <span>Download</span>
        </Menu>
      </div>
    </div>
  );
}

/** Lets the browser save what an address answers. */
function save(href: string, name: string): void {
  const link = document.createElement("a");
  link.href = href;
  link.download = name;
  link.click();
}
