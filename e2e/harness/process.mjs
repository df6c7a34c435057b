// Programs under test: started with captured output, ended by their own process id.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { sleep, until } from "./wait.mjs";

/** A fresh directory, removed when the test `t` ends. */
export async function temporary(t, name) {
  const directory = await mkdtemp(path.join(tmpdir(), `countersign-${name}-`));
  t.after(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

/**
 * Starts a program and ends it with the test. `ready` is polled; if the program ends first, or never gets ready, the
 * error carries what it printed.
 */
export async function start(t, name, command, args, { ready, seconds = 30, ...options } = {}) {
  const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"], ...options });
  let log = "";
  child.stdout.on("data", (chunk) => (log += chunk));
  child.stderr.on("data", (chunk) => (log += chunk));
  let ended;
  child.once("error", (error) => (ended = error.message));
  child.once("exit", (code, signal) => (ended ??= `exit ${code ?? signal}`));
  const program = {
    name,
    pid: child.pid,
    log: () => log,
    async stop() {
      if (ended) return;
      child.kill("SIGTERM");
      const gone = once(child, "exit").then(() => true);
      if (await Promise.race([gone, sleep(15_000, false, { ref: false })])) return;
      child.kill("SIGKILL");
      await gone;
    },
  };
  t.after(() => program.stop());
  if (ready) {
    try {
      await until(`${name} to be ready`, async () => ended || (await ready()), { seconds });
      if (ended) throw new Error(`${name} ended at start (${ended})`);
    } catch (error) {
      throw new Error(`${error.message}\n--- output of ${name} ---\n${log}`);
    }
  }
  return program;
}

/** Runs a program to its end and gives `{ code, out, err }`; `input` goes to its standard input. */
export async function complete(command, args, { input = "", seconds = 30, ...options } = {}) {
  const child = spawn(command, args, { stdio: "pipe", ...options });
  let out = "";
  let err = "";
  child.stdout.on("data", (chunk) => (out += chunk));
  child.stderr.on("data", (chunk) => (err += chunk));
  child.stdin.on("error", () => {});
  child.stdin.end(input);
  const timer = setTimeout(() => child.kill("SIGKILL"), seconds * 1000);
  const [code, signal] = await once(child, "close");
  clearTimeout(timer);
  if (signal) throw new Error(`${command} ${args.join(" ")} was ended by ${signal} after ${seconds} s\n${out}${err}`);
  return { code, out, err };
}
