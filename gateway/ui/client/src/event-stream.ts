/** Read Server-Sent Events as they come, in pieces. Pure. */

export class EventStreamParser {
  #rest = "";
  #data: string[] = [];

  /** Take the next *piece*; answer the data of the events that it completes. */
  push(piece: string): readonly string[] {
    const lines = (this.#rest + piece).split("\n");
    this.#rest = lines.pop() ?? "";
    const events: string[] = [];
    for (const line of lines) {
      const text = line.endsWith("\r") ? line.slice(0, -1) : line;
      if (text.startsWith("data:")) this.#data.push(text.slice(text[5] === " " ? 6 : 5));
      if (text !== "" || this.#data.length === 0) continue;
      events.push(this.#data.join("\n"));
      this.#data = [];
    }
    return events;
  }
}
