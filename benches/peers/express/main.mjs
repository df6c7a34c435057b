// node main.mjs seed DATABASE KEY COUNT FILE  |  serve DATABASE KEY PORT  |  count DATABASE KEY
import { createWriteStream } from "node:fs";
import { randomBytes } from "node:crypto";
import cookieParser from "cookie-parser";
import express from "express";
import { recipe } from "./recipe.mjs";

const [command, database, key, ...rest] = process.argv.slice(2);
const auth = recipe(database, Buffer.from(key, "hex"));

/** Opens sessions and writes one line each: the Cookie header, a tab, the CSRF token. */
function seed(count, file) {
  const out = createWriteStream(file);
  const all = auth.db.transaction(() => {
    for (let n = 0; n < count; n += 1) {
      const sid = randomBytes(16).toString("base64url");
      const { access, refresh } = auth.open(sid, `user-${n % 1000}`);
      let csrfCookie = "";
      const request = { sid, cookies: {}, headers: {} };
      const response = { cookie: (_name, value) => { csrfCookie = value; } };
      const token = auth.csrf.generateCsrfToken(request, response);
      out.write(`access=${access}; refresh=${refresh}; __Host-csrf=${csrfCookie}\t${token}\n`);
    }
  });
  all();
  out.end();
}

function serve(port) {
  const app = express();
  app.disable("x-powered-by");
  app.use(cookieParser());
  const session = (request, response, next) => {
    request.claims = auth.read(request.cookies.refresh);
    if (!request.claims) return response.status(401).json({ code: "token_invalid" });
    request.sid = request.claims.sid;
    next();
  };
  app.post("/auth/refresh", session, auth.csrf.doubleCsrfProtection, (request, response) => {
    const next = auth.rotate(request.claims);
    if (!next) return response.status(401).json({ code: "refresh_reused" });
    response.cookie("access", next.access, auth.cookieOptions);
    response.cookie("refresh", next.refresh, auth.cookieOptions);
    response.set("Cache-Control", "no-store");
    response.json({ user: { id: next.user }, generation: next.generation });
  });
  app.get("/ready", (_request, response) => response.json({ ready: true }));
  app.listen(Number(port), "127.0.0.1");
}

switch (command) {
  case "seed":
    seed(Number(rest[0]), rest[1]);
    break;
  case "serve":
    serve(rest[0]);
    break;
  case "count":
    console.log(JSON.stringify(auth.generations()));
    break;
  default:
    console.error("seed, serve or count");
    process.exit(2);
}
