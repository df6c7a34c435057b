// Real applications to put behind the gateway, and a caching proxy to put before it.
import { cp, mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import http from "node:http";
import https from "node:https";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { complete, start, temporary } from "./process.mjs";
import { accepts, freePort } from "./wait.mjs";

const UPSTREAMS = fileURLToPath(new URL("../upstreams", import.meta.url));
const MODULES = fileURLToPath(new URL("../node_modules", import.meta.url));
const PYTHON = process.env.COUNTERSIGN_E2E_PYTHON ?? "python3";

async function listening(t, name, command, args, port, options = {}) {
  const program = await start(t, name, command, args, { ready: () => accepts(port), ...options });
  return { ...program, port, url: `http://127.0.0.1:${port}` };
}

/** A page of notes with a form of its own, for the user whom `X-Remote-User` names. */
export async function django(t) {
  const directory = await temporary(t, "django");
  const port = await freePort();
  const app = path.join(UPSTREAMS, "django", "app.py");
  const env = { ...process.env, DATABASE: path.join(directory, "db.sqlite3"), PYTHONDONTWRITEBYTECODE: "1" };
  const migrated = await complete(PYTHON, [app, "migrate", "--verbosity=0"], { env, seconds: 60 });
  if (migrated.code !== 0) throw new Error(`Django's migrate failed:\n${migrated.out}${migrated.err}`);
  return listening(t, "Django", PYTHON, [app, "runserver", "--noreload", `127.0.0.1:${port}`], port, { env });
}

/** httpbin: says what it was asked with. */
export async function httpbin(t) {
  const port = await freePort();
  return listening(t, "httpbin", PYTHON, ["-m", "gunicorn", "--threads=4", `--bind=127.0.0.1:${port}`, "httpbin:app"], port);
}

/** Radicale, a calendar server, which believes the `X-Remote-User` header. */
export async function radicale(t) {
  const directory = await temporary(t, "radicale");
  const port = await freePort();
  const configuration = path.join(directory, "config");
  await writeFile(
    configuration,
    `[server]\nhosts = 127.0.0.1:${port}\n[auth]\ntype = http_x_remote_user\n` +
      `[storage]\nfilesystem_folder = ${directory}/collections\n`,
  );
  return listening(t, "Radicale", PYTHON, ["-m", "radicale", "--config", configuration], port);
}

/** Vite's development server on a copy of its page, so that the test may edit it: `edit(name, text)`. */
export async function vite(t) {
  const directory = await temporary(t, "vite");
  await cp(path.join(UPSTREAMS, "vite"), directory, { recursive: true });
  await symlink(MODULES, path.join(directory, "node_modules"));
  const port = await freePort();
  const program = path.join(MODULES, "vite", "bin", "vite.js");
  const args = [program, "--host", "127.0.0.1", "--port", String(port), "--strictPort", "--clearScreen", "false"];
  const server = await listening(t, "Vite", process.execPath, args, port, { cwd: directory });
  return { ...server, edit: (name, text) => writeFile(path.join(directory, name), text) };
}

/** An application that marks personal answers as public. */
export async function cacheable(t) {
  const port = await freePort();
  const program = path.join(UPSTREAMS, "cacheable", "server.mjs");
  return listening(t, "the cacheable application", process.execPath, [program, String(port)], port);
}

/** A key and a certificate of its own making for `names`; gives `{ key, certificate }` as paths. */
export async function certificate(directory, names) {
  const key = path.join(directory, "tls.key");
  const file = path.join(directory, "tls.crt");
  const made = await complete("openssl", [
    ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"],
    ...["-subj", `/CN=${names[0]}`, "-addext", `subjectAltName=${names.map((name) => `DNS:${name}`).join(",")}`],
    // A server's own and nobody's authority: strict clients refuse the one as the other.
    ...["-addext", "basicConstraints=critical,CA:FALSE"],
    ...["-keyout", key, "-out", file],
  ]);
  if (made.code !== 0) throw new Error(`openssl failed:\n${made.err}`);
  return { key, certificate: file };
}

/**
 * A web site of a few pages: `pages` maps a path to HTML, or to a function of the request that gives it. With `names`
 * it speaks TLS for them. `requests` lists what it was asked: `{ method, url, headers }`.
 */
export async function site(t, pages, { names } = {}) {
  const directory = await temporary(t, "site");
  const requests = [];
  const answer = (request, response) => {
    requests.push({ method: request.method, url: request.url, headers: request.headers });
    const page = pages[request.url.split("?")[0]];
    const html = typeof page === "function" ? page(request) : page;
    response.writeHead(html === undefined ? 404 : 200, { "content-type": "text/html; charset=utf-8" });
    response.end(html ?? "");
  };
  let server;
  if (names) {
    const files = await certificate(directory, names);
    const [key, cert] = await Promise.all([readFile(files.key), readFile(files.certificate)]);
    server = https.createServer({ key, cert }, answer);
  } else {
    server = http.createServer(answer);
  }
  await new Promise((resolve, reject) => server.once("error", reject).listen(0, "127.0.0.1", resolve));
  t.after(() => (server.closeAllConnections?.(), new Promise((resolve) => server.close(resolve))));
  const { port } = server.address();
  return { port, url: `http${names ? "s" : ""}://127.0.0.1:${port}`, requests, pages };
}

/** nginx as a caching proxy with TLS on `port`, before the gateway at `backend` (a port). Caches whatever it may. */
export async function cachingProxy(t, { port, backend, name }) {
  const directory = await temporary(t, "nginx");
  const tls = await certificate(directory, [name]);
  await mkdir(path.join(directory, "tmp"));
  const configuration = path.join(directory, "nginx.conf");
  const scratch = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
  await writeFile(
    configuration,
    `daemon off; pid ${directory}/nginx.pid; error_log stderr info; worker_processes 1; ${process.getuid?.() === 0 ? "user root;" : ""}
events { worker_connections 256; }
http {
  access_log off;
  ${scratch.map((kind) => `${kind}_temp_path ${directory}/tmp/${kind};`).join("\n  ")}
  proxy_cache_path ${directory}/cache keys_zone=all:1m;
  server {
    listen 127.0.0.1:${port} ssl;
    ssl_certificate ${tls.certificate};
    ssl_certificate_key ${tls.key};
    location / {
      proxy_pass http://127.0.0.1:${backend};
      proxy_http_version 1.1;
      proxy_set_header Host $http_host;
      proxy_set_header X-Forwarded-For $remote_addr;
      proxy_set_header X-Forwarded-Proto https;
      proxy_cache all;
      add_header X-Cache $upstream_cache_status always;
    }
  }
}
`,
  );
  return listening(t, "nginx", "nginx", ["-p", directory, "-c", configuration], port, {
    env: { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin` },
  });
}
