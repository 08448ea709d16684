// How many rows of the screen each line takes, and so where each begins, for lists of a hundred
// thousand lines: an addition for each new line, and one pass where a guess was wrong.

export class Heights {
  private rows = new Uint16Array(1024);
  /** Rows before each line, counted from some line that is long gone. */
  private before = new Float64Array(1025);
  private head = 0;
  private tail = 0;

  get count(): number {
    return this.tail - this.head;
  }

  /** Rows of all lines together. */
  get total(): number {
    return this.place(this.tail) - this.place(this.head);
  }

  clear(): void {
    this.head = this.tail = 0;
    this.before[0] = 0;
  }

  /** Adds a line at the end. */
  push(rows: number): void {
    if (this.tail === this.rows.length) this.grow();
    this.rows[this.tail] = Math.min(rows, 65_535);
    this.before[this.tail + 1] = this.place(this.tail) + rows;
    this.tail += 1;
  }

  /** Adds lines at the beginning. */
  unshift(rows: readonly number[]): void {
    const old = Array.from(this.rows.subarray(this.head, this.tail));
    this.clear();
    for (const it of rows) this.push(it);
    for (const it of old) this.push(it);
  }

  /** Takes lines away at the beginning. */
  shift(count: number): void {
    this.head = Math.min(this.tail, this.head + count);
  }

  /** Rows before a line. */
  top(index: number): number {
    const at = this.head + Math.max(0, Math.min(this.count, index));
    return this.place(at) - this.place(this.head);
  }

  /** Rows of a line. */
  of(index: number): number {
    return this.rows[this.head + index] ?? 1;
  }

  /** The line that a row belongs to. */
  at(row: number): number {
    const wanted = this.place(this.head) + row;
    let [low, high] = [this.head, Math.max(this.head, this.tail - 1)];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.place(middle) <= wanted) low = middle;
      else high = middle - 1;
    }
    return low - this.head;
  }

  /** Puts right what was guessed; whether anything was wrong. */
  correct(measured: ReadonlyMap<number, number>): boolean {
    let from = Infinity;
    for (const [index, rows] of measured) {
      if (index < 0 || index >= this.count || this.of(index) === rows) continue;
      this.rows[this.head + index] = rows;
      from = Math.min(from, this.head + index);
    }
    for (let at = from; at < this.tail; at += 1) {
      this.before[at + 1] = this.place(at) + (this.rows[at] ?? 1);
    }
    return from < Infinity;
  }

  private place(at: number): number {
    return this.before[at] ?? 0;
  }

  private grow(): void {
    const count = this.count;
    const size = count > this.rows.length / 2 ? this.rows.length * 2 : this.rows.length;
    const rows = new Uint16Array(size);
    rows.set(this.rows.subarray(this.head, this.tail));
    const before = new Float64Array(size + 1);
    const base = this.place(this.head);
    for (let at = 0; at <= count; at += 1) before[at] = this.place(this.head + at) - base;
    [this.rows, this.before, this.head, this.tail] = [rows, before, 0, count];
  }
}

/** How many rows a text takes in so many columns, where each character is one or two wide. */
export function rowsOf(text: string, columns: number): number {
  if (columns <= 0) return 1;
  if (/^[\x20-\x7e]*$/.test(text)) return Math.max(1, Math.ceil(text.length / columns));
  let [rows, at] = [1, 0];
  for (const character of text) {
    const wide = character === "\t" ? 8 - (at % 8) : width(character);
    if (at + wide > columns) [rows, at] = [rows + 1, 0];
    at += wide;
  }
  return rows;
}

function width(character: string): number {
  const code = character.codePointAt(0) ?? 0;
  if (code < 0x20 || (code >= 0x300 && code < 0x370) || code === 0x200d) return 0;
  const wide =
    (code >= 0x1100 && code <= 0x115f) ||
    (code >= 0x2e80 && code <= 0xa4cf) ||
    (code >= 0xac00 && code <= 0xd7a3) ||
    (code >= 0xf900 && code <= 0xfaff) ||
    (code >= 0xfe30 && code <= 0xfe6f) ||
    (code >= 0xff00 && code <= 0xff60) ||
    (code >= 0x1f300 && code <= 0x1faff);
  return wide ? 2 : 1;
}
