// Pauses that do not keep the process alive.
import { setTimeout as sleep } from "node:timers/promises";

/** 1 to 1.25 times `ms`: verifiers that lost one node do not all come back at one instant. @param {number} ms */
export function spread(ms) {
  return ms * (1 + Math.random() / 4);
}

/**
 * Waits, or less if `signal` says so.
 *
 * @param {number} ms
 * @param {AbortSignal} signal
 */
export async function wait(ms, signal) {
  try {
    await sleep(ms, undefined, { ref: false, signal });
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
