// Every wait has an end, and says what it waited for.
import { setTimeout as sleep } from "node:timers/promises";
import net from "node:net";

export { sleep };

/** Calls `probe` until it gives a truthy value; throws with `what` and the last error after `seconds`. */
export async function until(what, probe, { seconds = 20, every = 100 } = {}) {
  const end = performance.now() + seconds * 1000;
  let last;
  for (;;) {
    try {
      const value = await probe();
      if (value) return value;
      last = `last answer: ${JSON.stringify(value)}`;
    } catch (error) {
      last = `last error: ${error.message}`;
    }
    if (performance.now() > end) throw new Error(`waited ${seconds} s for ${what}; ${last}`);
    await sleep(every);
  }
}

/** A port that was free a moment ago. */
export function freePort() {
  return new Promise((resolve, reject) => {
    const server = net.createServer().once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

/** Whether something accepts connections there. */
export function accepts(port) {
  return new Promise((resolve) => {
    const socket = net.connect(port, "127.0.0.1");
    socket.once("connect", () => (socket.destroy(), resolve(true)));
    socket.once("error", () => resolve(false));
  });
}
