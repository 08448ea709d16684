// Reading server-sent events from a response's body: EventSource hides why it was refused.

/** Calls `tell` with each event's data; a comment is `undefined`, a sign of life. */
export class EventParser {
  private rest = "";
  private data: string[] = [];

  constructor(private readonly tell: (data: string | undefined) => void) {}

  push(text: string): void {
    const lines = (this.rest + text).split("\n");
    this.rest = lines.pop() ?? "";
    for (const line of lines) this.line(line.endsWith("\r") ? line.slice(0, -1) : line);
  }

  private line(line: string): void {
    if (line === "") {
      if (this.data.length > 0) this.tell(this.data.join("\n"));
      this.data = [];
    } else if (line.startsWith(":")) this.tell(undefined);
    else if (line.startsWith("data:")) this.data.push(line.slice(line[5] === " " ? 6 : 5));
    // Other fields say nothing here: state is told whole, and logs have cursors of their own.
  }
}
