// The lines of a store, of which only those in view are drawn.
//
// Where the reader is, is a line and the pixels above it, not a distance from the top: so it stays
// when lines are dropped or added in front, when the text wraps otherwise, and when a guessed height
// was wrong. At the end the list follows what comes.

import type { RefObject } from "preact";
import { useEffect, useImperativeHandle, useLayoutEffect, useReducer, useRef } from "preact/hooks";
import { Heights, rowsOf } from "./heights";
import { Row, drawn } from "./row";
import { plain } from "./sgr";
import type { Item, Line, LogStore } from "./store";

/** Rows that are drawn beyond what is seen, so that a fast scroll shows no emptiness. */
const BEYOND = 12;

/** What a page asks of the list. */
export interface ListHandle {
  /** Goes to the end and follows it. */
  toEnd(): void;
  /** Stops following, where it is. */
  stay(): void;
  /** Brings a line into view, by its number. */
  reveal(number: number): void;
  /** The number of the first line in view. */
  top(): number;
  focus(): void;
}

interface Props {
  readonly store: LogStore;
  /** The store's revision: the list is drawn again when it changes. */
  readonly revision: number;
  readonly wrap: boolean;
  readonly named: boolean;
  readonly label: string;
  readonly wanted: RegExp | undefined;
  readonly current: number | undefined;
  readonly selected: Line | undefined;
  readonly handle: RefObject<ListHandle | null>;
  /** Whether the end of the lines is the end of the log, so that there is something to follow. */
  readonly follows: boolean;
  readonly onSelect: (line: Line | undefined) => void;
  readonly onFollowing: (following: boolean) => void;
  readonly onTop: () => void;
  readonly onEnd: () => void;
}

/** What the list knows between two drawings. */
class Model {
  readonly heights = new Heights();
  rowHeight = 20;
  columns = 0;
  charWidth = 8;
  following = true;
  /** Where `following` put the view, by which a scroll of the reader's is known. */
  put = -1;
  anchor = 0;
  /** The line of the anchor, by which it is found again where numbers mean other lines. */
  anchored: Item | undefined;
  offset = 0;
  widest = 0;
  private epoch = -1;
  private first = 0;
  private end = 0;
  private key = "";

  /** Takes over what the store has. */
  sync(store: LogStore, wrap: boolean): void {
    const key = `${wrap}/${wrap ? this.columns : 0}`;
    const end = store.first + store.shown.length;
    if (store.epoch !== this.epoch || key !== this.key || store.first >= this.end) {
      if (store.epoch !== this.epoch) {
        this.widest = 0;
        this.find(store);
      }
      [this.epoch, this.key, this.first, this.end] = [store.epoch, key, store.first, store.first];
      this.heights.clear();
    }
    if (store.first > this.first) this.heights.shift(store.first - this.first);
    if (store.first < this.first) {
      const older = store.shown.slice(0, this.first - store.first);
      this.heights.unshift(older.map((it) => this.rows(it, wrap)));
    }
    for (let at = this.end; at < end; at += 1) {
      this.heights.push(this.rows(store.shown[at - store.first], wrap));
    }
    [this.first, this.end] = [store.first, end];
  }

  /** Where the anchor's line is now, or what is nearest before it. */
  private find(store: LogStore): void {
    const item = this.anchored;
    if (item === undefined) return;
    const same = store.shown.indexOf(item);
    const index = same >= 0 ? same : store.find(item.slot, item.at);
    this.anchor = store.first + (index ?? 0);
    if (index === undefined) this.offset = 0;
  }

  private rows(item: Item | undefined, wrap: boolean): number {
    if (item === undefined || item.kind === "gap") return 1;
    if (wrap) return rowsOf(plain(drawn(item)), this.columns);
    const columns = item.text.length > this.widest ? plain(drawn(item)).length : 0;
    if (columns > this.widest) this.widest = columns;
    return 1;
  }
}

export function LogList(props: Props) {
  const { store, wrap, handle } = props;
  const scroller = useRef<HTMLDivElement>(null);
  const probe = useRef<HTMLSpanElement>(null);
  const rows = useRef<HTMLDivElement>(null);
  const [, redraw] = useReducer((count: number) => count + 1, 0);
  const kept = useRef<Model | undefined>(undefined);
  const model = (kept.current ??= new Model());

  model.sync(store, wrap);
  const { heights, rowHeight } = model;
  const view = scroller.current;
  const height = view?.clientHeight ?? 600;
  const target = model.following
    ? Math.max(0, heights.total * rowHeight - height)
    : heights.top(model.anchor - store.first) * rowHeight + model.offset;
  const from = Math.max(0, heights.at(Math.floor(target / rowHeight)) - BEYOND);
  const last = heights.at(Math.ceil((target + height) / rowHeight)) + BEYOND;
  const to = Math.min(store.shown.length, last + 1);

  const follow = (following: boolean) => {
    if (model.following === following) return;
    model.following = following;
    props.onFollowing(following);
  };
  const remember = (top: number) => {
    const index = heights.at(Math.floor(top / rowHeight));
    model.anchor = store.first + index;
    model.anchored = store.shown[index];
    model.offset = top - heights.top(index) * rowHeight;
  };
  const onScroll = () => {
    const it = scroller.current;
    if (it === null) return;
    const atEnd = it.scrollTop + it.clientHeight >= it.scrollHeight - 2;
    remember(it.scrollTop);
    follow(atEnd && props.follows);
    if (it.scrollTop < it.clientHeight) props.onTop();
    if (it.scrollTop + 2 * it.clientHeight >= it.scrollHeight) props.onEnd();
    redraw(undefined);
  };

  useLayoutEffect(() => {
    const it = scroller.current;
    if (it === null) return;
    if (model.following && model.put >= 0 && it.scrollTop < model.put - 1) {
      // The reader scrolled since, and the event of that is still on its way.
      const least = Math.max(0, it.scrollHeight - it.clientHeight);
      if (it.scrollTop < Math.min(model.put, least) - 1) {
        remember(it.scrollTop);
        follow(false);
      }
    }
    if (wrap && rows.current !== null && rowHeight > 0) {
      const measured = new Map<number, number>();
      for (const row of rows.current.children) {
        const number = Number((row as HTMLElement).dataset["number"]);
        const count = Math.round((row as HTMLElement).offsetHeight / rowHeight);
        if (count > 0) measured.set(number - store.first, count);
      }
      if (heights.correct(measured)) redraw(undefined);
    }
    const top = model.following
      ? Math.max(0, it.scrollHeight - it.clientHeight)
      : heights.top(model.anchor - store.first) * rowHeight + model.offset;
    if (Math.abs(it.scrollTop - top) >= 1) it.scrollTop = top;
    model.put = model.following ? it.scrollTop : -1;
  });

  useEffect(() => {
    const it = scroller.current;
    if (it === null || probe.current === null) return undefined;
    const measure = () => {
      const box = probe.current?.getBoundingClientRect();
      if (box === undefined || box.width === 0) return;
      model.charWidth = box.width / 50;
      model.rowHeight = box.height;
      const text = rows.current?.querySelector(".log-text");
      const indent = text instanceof HTMLElement ? text.offsetLeft + 8 : 16;
      model.columns = Math.max(10, Math.floor((it.clientWidth - indent) / model.charWidth));
      redraw(undefined);
    };
    const observer = new ResizeObserver(measure);
    observer.observe(it);
    observer.observe(probe.current);
    return () => observer.disconnect();
  }, []);

  useImperativeHandle(handle, () => ({
    toEnd() {
      follow(true);
      redraw(undefined);
    },
    stay() {
      if (scroller.current !== null) remember(scroller.current.scrollTop);
      follow(false);
    },
    reveal(number) {
      follow(false);
      const view = scroller.current?.clientHeight ?? 0;
      model.anchor = number;
      model.anchored = store.shown[number - store.first];
      model.offset = -Math.floor(view / 3);
      redraw(undefined);
    },
    top: () => (model.following ? store.first + from + BEYOND : model.anchor),
    focus: () => scroller.current?.focus(),
  }));

  const onKeyDown = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const { selected } = props;
    if (event.key === "End") {
      event.preventDefault();
      follow(true);
      redraw(undefined);
    } else if (event.key === "Escape" && selected !== undefined) {
      props.onSelect(undefined);
    } else if (event.key === "Enter" && selected === undefined) {
      const item = store.shown[heights.at(Math.floor((scroller.current?.scrollTop ?? 0) / rowHeight))];
      if (item?.kind === "line") props.onSelect(item);
    } else if (selected !== undefined && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
      event.preventDefault();
      const step = event.key === "ArrowDown" ? 1 : -1;
      let index = store.shown.indexOf(selected) + step;
      while (store.shown[index]?.kind === "gap") index += step;
      const item = store.shown[index];
      if (item?.kind === "line") {
        props.onSelect(item);
        into(index);
      }
    }
  };
  /** Scrolls as little as is needed to see a line. */
  const into = (index: number) => {
    const it = scroller.current;
    if (it === null) return;
    const begin = heights.top(index) * rowHeight;
    const end = begin + heights.of(index) * rowHeight;
    if (begin < it.scrollTop) it.scrollTop = begin;
    else if (end > it.scrollTop + it.clientHeight) it.scrollTop = end - it.clientHeight;
  };
  const onClick = (event: MouseEvent) => {
    // Whoever marks text to copy it does not choose a line.
    if (getSelection()?.isCollapsed === false) return;
    const row = (event.target as Element).closest<HTMLElement>("[data-number]");
    const item = row && store.shown[Number(row.dataset["number"]) - store.first];
    if (item?.kind === "line") props.onSelect(item === props.selected ? undefined : item);
  };

  const width = wrap ? undefined : `calc(${model.widest}ch + 4rem)`;
  return (
    <div
      class={wrap ? "log-list log-wraps" : "log-list"}
      ref={scroller}
      role="log"
      aria-live="off"
      aria-label={props.label}
      tabIndex={0}
      onScroll={onScroll}
      onKeyDown={onKeyDown}
      onClick={onClick}
    >
      <span class="log-probe" ref={probe} aria-hidden="true">
        {"0".repeat(50)}
      </span>
      <div class="log-content" style={{ height: `${heights.total * rowHeight}px`, minWidth: width }}>
        <div
          class="log-window"
          ref={rows}
          style={{ transform: `translateY(${heights.top(from) * rowHeight}px)` }}
        >
          {store.shown.slice(from, to).map((item, index) => {
            const number = store.first + from + index;
            return (
              <Row
                key={number}
                item={item}
                number={number}
                named={props.named}
                wanted={props.wanted}
                current={number === props.current}
                selected={item === props.selected}
              />
            );
          })}
        </div>
      </div>
    </div>
  );
}
