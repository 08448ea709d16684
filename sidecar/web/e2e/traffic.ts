// A visitor of the app itself, through Caddy.

import { Agent, request } from "node:http";
import { url } from "./stage";

const agent = new Agent({ keepAlive: true, maxSockets: 4 });

/** Has the shop write that many lines to its log. */
export function log(lines: number): Promise<void> {
  const port = new URL(url).port;
  return new Promise((done, failed) => {
    const headers = { host: `shop.localhost:${port}` };
    const asking = request({ host: "127.0.0.1", port, path: `/log?lines=${lines}`, headers, agent });
    asking.on("error", failed);
    asking.on("response", (response) => {
      response.resume();
      response.on("end", () => (response.statusCode === 200 ? done() : failed(new Error(`the shop answers ${response.statusCode}`))));
    });
    asking.end();
  });
}

/** Has it write so many lines a second, until the function that is given back is called: it says how
 * many they were. */
export function flood(rate: number): () => Promise<number> {
  let going = true;
  const began = Date.now();
  let written = 0;
  const running = (async () => {
    while (going) {
      const due = Math.floor(((Date.now() - began) / 1000) * rate) - written;
      if (due > 0) {
        await log(due);
        written += due;
      }
      await new Promise((done) => setTimeout(done, 50));
    }
    return written;
  })();
  return () => {
    going = false;
    return running;
  };
}
