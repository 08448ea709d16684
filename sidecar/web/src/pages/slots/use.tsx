// Memory and CPU of both slots over the last minutes: drawn, and in words beside it.

import { useEffect, useRef, useState } from "preact/hooks";
import type { Slot, SlotSample } from "../../api/types";
import { SlotTag } from "../../ui/badge";
import { bytes, cpu } from "../../ui/format";
import { scheme } from "../../layout/scheme";
import type { Used } from "../../live/metrics";
import { Notice } from "../../ui/state";
import type { Chart, Points } from "./chart";

/** Memory is read in powers of two, so the axis steps in them. */
const MEMORY = Array.from({ length: 24 }, (_, power) => 2 ** (power + 20));
const SLOTS: readonly Slot[] = ["blue", "green"];

export function Use({ used }: { used: Used }) {
  return (
    <section class="section" aria-labelledby="use-title">
      <div class="section-head">
        <h2 id="use-title">Memory and CPU</h2>
        <p class="muted">The last ten minutes. Not kept when the daemon is started again.</p>
      </div>
      {used.samples.length === 0 ? (
        <Notice><p>Nothing was measured yet: no slot runs, or the page was only just opened.</p></Notice>
      ) : (
        <div class="use-pair">
          <Figure title="Memory" data={used} of={(it) => it.memory} words={bytes} steps={MEMORY} />
          <Figure title="CPU" data={used} of={(it) => it.cpu} words={cpu} />
        </div>
      )}
    </section>
  );
}

type Reading = (it: SlotSample) => number;

function points(data: Used, of: Reading): Points {
  const read = (slot: Slot) =>
    data.samples.map((it) => {
      const sample = it.slots.find((sampled) => sampled.slot === slot);
      return sample ? of(sample) : null;
    });
  return { at: data.samples.map((it) => Date.parse(it.at) / 1000), blue: read("blue"), green: read("green") };
}

function Figure(props: { title: string; data: Used; of: Reading; words: (value: number) => string; steps?: number[] }) {
  const { title, data, of, words, steps } = props;
  const place = useRef<HTMLDivElement>(null);
  const chart = useRef<Chart | undefined>(undefined);
  const [failed, fail] = useState(false);
  const latest = points(data, of);
  const kept = useRef(latest);
  kept.current = latest;
  const seen = scheme.value;
  useEffect(() => {
    let gone = false;
    // The drawing's code is loaded when there is something to draw.
    import("./chart").then(
      ({ draw }) => {
        if (!gone && place.current) chart.current = draw(place.current, kept.current, words, steps);
      },
      () => !gone && fail(true),
    );
    return () => {
      gone = true;
      chart.current?.destroy();
      chart.current = undefined;
    };
  }, [seen]);
  useEffect(() => chart.current?.put(latest), [data]);
  return (
    <figure class="card card-pad use">
      <figcaption>
        <h3>{title}</h3>
        <ul class="use-words">
          {SLOTS.map((slot) => <InWords key={slot} slot={slot} values={latest[slot]} words={words} />)}
        </ul>
      </figcaption>
      <div class="use-chart" ref={place} aria-hidden="true" />
      {failed && <p class="muted">The chart could not be loaded; the figures above are current.</p>}
    </figure>
  );
}

function InWords({ slot, values, words }: { slot: Slot; values: readonly (number | null)[]; words: (value: number) => string }) {
  const known = values.filter((it) => it !== null);
  const last = values.at(-1);
  if (known.length === 0) return null;
  return (
    <li>
      <SlotTag slot={slot} />{" "}
      {last === null || last === undefined ? "not running" : <strong class="num">{words(last)}</strong>}{" "}
      <span class="muted">
        {words(Math.min(...known))} to {words(Math.max(...known))}
      </span>
    </li>
  );
}
