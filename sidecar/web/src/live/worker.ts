// The SharedWorker: one hub for all tabs of a browser.

import { Hub, type FromPage, type Member } from "./hub";

const hub = new Hub();
const scope = globalThis as unknown as { onconnect: ((event: MessageEvent) => void) | null };

scope.onconnect = (event) => {
  const port = event.ports[0];
  if (!port) return;
  const member: Member = { post: (message) => port.postMessage(message) };
  port.onmessage = (said: MessageEvent<FromPage>) => {
    const message = said.data;
    hub.hear(member, message);
    // A tab that crashes says nothing; the lock that it held becomes free.
    if (message.say === "lock" && navigator.locks) {
      void navigator.locks.request(message.name, () => hub.leave(member));
    }
  };
  port.start();
};
