// What a person fills in: each with a label, and the sentence that says what is wrong with it.

import type { ComponentChildren } from "preact";
import { useId } from "preact/hooks";

type Shared = { label: string; hint?: ComponentChildren; error?: string | undefined };

function Around(props: Shared & { id: string; children: ComponentChildren }) {
  return (
    <div class="field">
      <label for={props.id}>{props.label}</label>
      {props.children}
      {props.hint && <p id={`${props.id}-hint`} class="hint">{props.hint}</p>}
      {props.error && <p id={`${props.id}-error`} class="field-error" role="alert">{props.error}</p>}
    </div>
  );
}

function described(id: string, props: Shared): string | undefined {
  const ids = [props.hint && `${id}-hint`, props.error && `${id}-error`].filter(Boolean);
  return ids.length ? ids.join(" ") : undefined;
}

export function TextField(
  props: Shared & {
    value: string;
    onValue: (value: string) => void;
    type?: "text" | "password" | "search" | "number" | "datetime-local";
    name?: string;
    autocomplete?: string;
    required?: boolean;
    placeholder?: string;
    maxLength?: number;
    mono?: boolean;
    autofocus?: boolean;
  },
) {
  const id = useId();
  const { label, hint, error, value, onValue, mono, autofocus, autocomplete, type = "text", ...rest } = props;
  return (
    <Around id={id} label={label} hint={hint} error={error}>
      <input
        {...rest}
        id={id}
        type={type as "text"}
        class={mono ? "input mono" : "input"}
        value={value}
        autoFocus={autofocus ?? false}
        autoComplete={autocomplete ?? "off"}
        autoCapitalize="none"
        spellcheck={false}
        aria-invalid={error ? true : undefined}
        aria-describedby={described(id, props)}
        onInput={(event) => onValue(event.currentTarget.value)}
      />
    </Around>
  );
}

export function TextArea(
  props: Shared & { value: string; onValue: (value: string) => void; rows?: number; maxLength?: number; mono?: boolean },
) {
  const id = useId();
  return (
    <Around id={id} label={props.label} hint={props.hint} error={props.error}>
      <textarea
        id={id}
        class={props.mono ? "input mono" : "input"}
        rows={props.rows ?? 3}
        maxLength={props.maxLength}
        value={props.value}
        aria-describedby={described(id, props)}
        onInput={(event) => props.onValue(event.currentTarget.value)}
      />
    </Around>
  );
}

export function Select<T extends string>(
  props: Shared & { value: T; options: readonly { value: T; label: string }[]; onValue: (value: T) => void },
) {
  const id = useId();
  return (
    <Around id={id} label={props.label} hint={props.hint} error={props.error}>
      <select
        id={id}
        class="input"
        value={props.value}
        aria-describedby={described(id, props)}
        onChange={(event) => props.onValue(event.currentTarget.value as T)}
      >
        {props.options.map((it) => (
          <option key={it.value} value={it.value}>{it.label}</option>
        ))}
      </select>
    </Around>
  );
}

/** One of a few, each with a sentence of its own. */
export function Choice<T extends string>(props: {
  legend: string;
  value: T | undefined;
  options: readonly { value: T; label: ComponentChildren; hint?: ComponentChildren; disabled?: boolean }[];
  onValue: (value: T) => void;
  required?: boolean;
}) {
  const name = useId();
  return (
    <fieldset class="choice">
      <legend>{props.legend}</legend>
      {props.options.map((it) => (
        <label key={it.value} class="choice-row">
          <input
            type="radio"
            name={name}
            value={it.value}
            checked={props.value === it.value}
            disabled={it.disabled ?? false}
            required={props.required ?? false}
            onChange={() => props.onValue(it.value)}
          />
          <span>
            <span class="choice-label">{it.label}</span>
            {it.hint && <span class="hint">{it.hint}</span>}
          </span>
        </label>
      ))}
    </fieldset>
  );
}

export function Checkbox(props: { label: ComponentChildren; hint?: ComponentChildren; checked: boolean; onValue: (on: boolean) => void; disabled?: boolean }) {
  return (
    <label class="choice-row">
      <input
        type="checkbox"
        checked={props.checked}
        disabled={props.disabled ?? false}
        onChange={(event) => props.onValue(event.currentTarget.checked)}
      />
      <span>
        <span class="choice-label">{props.label}</span>
        {props.hint && <span class="hint">{props.hint}</span>}
      </span>
    </label>
  );
}

/** On or off, at once. */
export function Switch(props: { label: string; on: boolean; busy?: boolean; disabled?: boolean; onValue: (on: boolean) => void }) {
  return (
    <button
      type="button"
      role="switch"
      class="switch"
      aria-checked={props.on}
      aria-busy={props.busy ? true : undefined}
      disabled={props.disabled ?? false}
      onClick={() => !props.busy && props.onValue(!props.on)}
    >
      <span class="switch-track" aria-hidden="true" />
      <span>{props.label}</span>
      <span class="switch-word">{props.on ? "On" : "Off"}</span>
    </button>
  );
}
