// An HTTP client that is exactly as clever as the test wants: raw headers, a cookie jar that can be copied.
import http from "node:http";
import https from "node:https";

/** Cookies as a browser keeps them for one origin: by name, until Max-Age=0. */
export class Jar {
  #cookies = new Map();

  header() {
    return [...this.#cookies].map(([name, value]) => `${name}=${value}`).join("; ");
  }

  take(setCookies = []) {
    for (const line of setCookies) {
      const [pair, ...attributes] = line.split(";");
      const at = pair.indexOf("=");
      const name = pair.slice(0, at).trim();
      if (attributes.some((attribute) => /^\s*max-age=0\s*$/i.test(attribute))) this.#cookies.delete(name);
      else this.#cookies.set(name, pair.slice(at + 1).trim());
    }
  }

  names() {
    return [...this.#cookies.keys()];
  }

  /** The name and value of the cookie whose name begins so: development appends the port. */
  find(prefix) {
    return [...this.#cookies].find(([name]) => name.startsWith(prefix));
  }

  delete(prefix) {
    for (const name of this.names()) if (name.startsWith(prefix)) this.#cookies.delete(name);
  }

  /** What a thief gets who copies the whole jar. */
  copy() {
    const copy = new Jar();
    copy.#cookies = new Map(this.#cookies);
    return copy;
  }
}

/**
 * One client of one origin. `connect` is the loopback port to go to, whatever the origin's name is.
 * Certificates are not checked: the other end is a process of this test, and the browser stories do check.
 */
export class Client {
  constructor(origin, { jar = new Jar(), port } = {}) {
    this.url = new URL(origin);
    this.jar = jar;
    this.port = port ?? Number(this.url.port);
    this.csrf = undefined;
    this.agent = new (this.url.protocol === "https:" ? https : http).Agent({
      keepAlive: false,
      rejectUnauthorized: false,
    });
  }

  /** A second client that holds the same cookies: the thief's. */
  stolen() {
    const thief = new Client(this.url.origin, { jar: this.jar.copy(), port: this.port });
    thief.csrf = this.csrf;
    return thief;
  }

  /** Sends one request; gives `{ status, headers, setCookies, text, json }` and keeps the cookies. */
  request(method, path, { headers = {}, body, json, keep = true, cookies = true } = {}) {
    const all = { host: this.url.host, ...headers };
    const cookie = this.jar.header();
    if (cookies && cookie && !("cookie" in all)) all.cookie = cookie;
    let bytes = body;
    if (json !== undefined) {
      bytes = JSON.stringify(json);
      all["content-type"] ??= "application/json";
    }
    if (bytes !== undefined) all["content-length"] = Buffer.byteLength(bytes);
    const module = this.url.protocol === "https:" ? https : http;
    return new Promise((resolve, reject) => {
      const request = module.request(
        {
          host: "127.0.0.1",
          port: this.port,
          servername: this.url.hostname,
          agent: this.agent,
          method,
          path,
          headers: all,
          timeout: 30_000,
        },
        (response) => {
          const chunks = [];
          response.on("data", (chunk) => chunks.push(chunk));
          response.on("error", reject);
          response.on("end", () => {
            const text = Buffer.concat(chunks).toString();
            const setCookies = response.headers["set-cookie"] ?? [];
            if (keep) this.jar.take(setCookies);
            let parsed;
            try {
              parsed = JSON.parse(text);
            } catch {
              parsed = undefined;
            }
            resolve({ status: response.statusCode, headers: response.headers, setCookies, text, json: parsed });
          });
        },
      );
      request.on("timeout", () => request.destroy(new Error(`${method} ${path}: no answer in 30 s`)));
      request.on("error", reject);
      request.end(bytes);
    });
  }

  /** GET as a script or a tool sends it. */
  get(path, options) {
    return this.request("GET", path, options);
  }

  /** GET as a browser does for a typed address. */
  navigate(path, { headers = {}, ...options } = {}) {
    return this.request("GET", path, { ...options, headers: { ...NAVIGATION, ...headers } });
  }

  /** POST to an end point of ours, with Origin and CSRF token as its own pages send them. */
  post(path, json, { headers = {}, ...options } = {}) {
    const own = { origin: this.url.origin, "sec-fetch-site": "same-origin" };
    if (this.csrf) own["x-csrf-token"] = this.csrf;
    return this.request("POST", path, { ...options, json, headers: { ...own, ...headers } });
  }

  async #enter(path, email, password) {
    this.csrf = (await this.get("/auth/csrf")).json?.csrf_token;
    const answer = await this.post(path, { email, password });
    if (answer.json?.csrf_token) this.csrf = answer.json.csrf_token;
    return answer;
  }

  signUp(email, password) {
    return this.#enter("/auth/signup", email, password);
  }

  logIn(email, password) {
    return this.#enter("/auth/login", email, password);
  }

  /** Rotates by cookie; `keep: false` throws the answer's cookies away, as a lost answer does. */
  refresh(options = {}) {
    return this.request("POST", "/auth/refresh", {
      headers: { origin: this.url.origin, "sec-fetch-site": "same-origin", "x-csrf-token": this.csrf },
      ...options,
    });
  }
}

export const NAVIGATION = {
  accept: "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8",
  "sec-fetch-site": "none",
  "sec-fetch-mode": "navigate",
  "sec-fetch-dest": "document",
  "sec-fetch-user": "?1",
};
