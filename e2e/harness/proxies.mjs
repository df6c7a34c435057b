// Real proxies that run the recipes of docs/recipes: other ports, and nothing else changed.
import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { start, temporary } from "./process.mjs";
import { certificate } from "./upstreams.mjs";
import { accepts, freePort } from "./wait.mjs";

const RECIPES = fileURLToPath(new URL("../../docs/recipes", import.meta.url));
const DOCUMENTED = { https: 443, http: 80, countersign: 8080, app: 3000, admin: 2019 };
const FILES = {
  nginx: ["nginx.conf", "nginx-own.conf", "nginx-question.conf"],
  caddy: ["Caddyfile"],
  haproxy: ["haproxy.cfg", "haproxy.lua"],
};
const COMMANDS = {
  nginx: (directory) => ["nginx", "-p", directory, "-c", path.join(directory, "main.conf")],
  caddy: () => ["caddy", "run", "--adapter", "caddyfile", "--config", "Caddyfile"],
  haproxy: () => ["haproxy", "-db", "-f", "haproxy.cfg"],
};

/** The host that the recipes are for. */
export const HOST = "app.example.com";

/** Starts `kind` on `port` for {@link HOST}, with `secret`, before an application and Countersign at these ports. */
export async function asking(t, kind, { port, secret, countersign, app }) {
  const directory = await temporary(t, kind);
  const ports = { https: port, http: await freePort(), admin: await freePort(), countersign, app };
  for (const name of FILES[kind]) {
    const text = await readFile(path.join(RECIPES, name), "utf8");
    const lines = text.split("\n").map((line) => {
      const word = / port: (\w+)/.exec(line)?.[1];
      return word ? line.replace(String(DOCUMENTED[word]), String(ports[word])) : line;
    });
    await writeFile(path.join(directory, name), lines.join("\n"));
  }
  const tls = await certificate(directory, [HOST]);
  const [cert, key] = await Promise.all([readFile(tls.certificate, "utf8"), readFile(tls.key, "utf8")]);
  for (const [name, text] of [["cert.pem", cert], ["key.pem", key], ["site.pem", cert + key]]) {
    await writeFile(path.join(directory, name), text);
  }
  if (kind === "nginx") {
    await writeFile(path.join(directory, "countersign-secret.conf"), `proxy_set_header Countersign-Forward-Auth "${secret}";\n`);
    const scratch = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((name) => `${name}_temp_path tmp-${name};`);
    const main = `daemon off; master_process off; pid nginx.pid; error_log stderr warn; events {}
http { access_log off; ${scratch.join(" ")} include nginx.conf; }\n`;
    await writeFile(path.join(directory, "main.conf"), main);
  }
  const [command, ...args] = COMMANDS[kind](directory);
  return start(t, kind, command, args, {
    ready: () => accepts(port),
    cwd: directory,
    env: {
      PATH: `${process.env.PATH}:/usr/sbin:/sbin`,
      HOME: directory,
      XDG_DATA_HOME: directory,
      XDG_CONFIG_HOME: directory,
      COUNTERSIGN_FORWARD_AUTH: secret,
    },
  });
}
