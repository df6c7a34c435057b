// One table over plain http, Express and Fastify, the real ones.
import assert from "node:assert/strict";
import { once } from "node:events";
import http from "node:http";
import { test } from "node:test";
import express from "express";
import Fastify from "fastify";
import { countersign as forExpress, refusals as expressRefusals } from "../src/express.js";
import { countersign as forFastify, refusals as fastifyRefusals } from "../src/fastify.js";
import { guard } from "../src/http.js";
import { issuer } from "./issuer.mjs";

const whoami = (principal) => ({ user: principal?.user ?? null });

/** An application with `/who` (required), `/maybe` (optional), `/orders` (scope orders:write by rule) and `/write` (by handler), `/cached`. */
const applications = {
  async http(verifier) {
    const json = (response, value) => response.end(JSON.stringify(value));
    const routes = {
      "/who": guard(verifier, (_, response, principal) => json(response, whoami(principal))),
      "/maybe": guard(verifier, (_, response, principal) => json(response, whoami(principal)), { optional: true }),
      "/orders": guard(verifier, (_, response, principal) => json(response, whoami(principal)), { scope: "orders:write" }),
      "/write": guard(verifier, async (_, response, principal) => {
        principal.require("orders:write");
        json(response, whoami(principal));
      }),
      "/cached": guard(verifier, (_, response) => response.writeHead(200, { "Cache-Control": "public, max-age=60" }).end("{}")),
      "/private": guard(verifier, (_, response) => response.writeHead(200, "OK", ["cache-control", "private, max-age=60"]).end("{}")),
    };
    return http.createServer((request, response) => routes[request.url](request, response));
  },
  async express(verifier) {
    const app = express();
    const answer = (request, response) => response.json(whoami(request.principal));
    app.get("/who", forExpress(verifier), answer);
    app.get("/maybe", forExpress(verifier, { optional: true }), answer);
    app.get("/orders", forExpress(verifier, { scope: "orders:write" }), answer);
    app.get("/write", forExpress(verifier), (request, response) => {
      request.principal.require("orders:write");
      answer(request, response);
    });
    app.get("/cached", forExpress(verifier), (_, response) => response.set("Cache-Control", "public, max-age=60").json({}));
    app.get("/private", forExpress(verifier), (_, response) => response.set("Cache-Control", "private, max-age=60").json({}));
    app.use(expressRefusals);
    return http.createServer(app);
  },
  async fastify(verifier, t) {
    const app = Fastify();
    const answer = async (request) => whoami(request.principal);
    app.setErrorHandler(fastifyRefusals);
    await app.register(async (scope) => {
      await scope.register(forFastify, { verifier });
      scope.get("/who", answer);
      scope.get("/write", async (request) => {
        request.principal.require("orders:write");
        return answer(request);
      });
      scope.get("/cached", async (_, reply) => reply.header("cache-control", "public, max-age=60").send({}));
      scope.get("/private", async (_, reply) => reply.header("cache-control", "private, max-age=60").send({}));
    });
    await app.register(async (scope) => {
      await scope.register(forFastify, { verifier, optional: true });
      scope.get("/maybe", answer);
    });
    await app.register(async (scope) => {
      await scope.register(forFastify, { verifier, scope: "orders:write" });
      scope.get("/orders", answer);
    });
    await app.ready();
    t.after(() => app.close());
    return app.server;
  },
};

for (const [name, application] of Object.entries(applications)) {
  test(`${name}: lets in, refuses and answers as the server does`, async (t) => {
    const source = await issuer(t);
    const verifier = await source.ready();
    const server = await application(verifier, t);
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    t.after(() => {
      server.close();
      server.closeAllConnections();
    });
    const get = async (path, headers = {}) => {
      const answer = await fetch(`http://127.0.0.1:${server.address().port}${path}`, { headers });
      return { status: answer.status, headers: answer.headers, json: await answer.json() };
    };
    const bearer = { authorization: `Bearer ${source.token()}` };
    const writer = { "countersign-assertion": source.statement({ scope: "orders:read orders:write" }) };

    assert.deepEqual((await get("/who", bearer)).json, { user: "LPJNul" });
    assert.deepEqual((await get("/who", writer)).json, { user: "LPJNul" });
    assert.deepEqual((await get("/maybe")).json, { user: null });
    assert.deepEqual((await get("/maybe", bearer)).json, { user: "LPJNul" });
    assert.deepEqual((await get("/orders", writer)).json, { user: "LPJNul" });
    assert.deepEqual((await get("/write", writer)).json, { user: "LPJNul" });

    const refused = [
      ["/who", {}, 401, "token_missing", "Bearer"],
      ["/who", { authorization: "Bearer x" }, 401, "token_invalid", 'Bearer error="invalid_token"'],
      ["/maybe", { authorization: "Bearer x" }, 401, "token_invalid", 'Bearer error="invalid_token"'],
      ["/who", { authorization: `Bearer ${source.token({ aud: "web" })}` }, 401, "wrong_audience", 'Bearer error="invalid_token"'],
      ["/who", { authorization: `Bearer ${source.statement()}` }, 401, "wrong_purpose", 'Bearer error="invalid_token"'],
      ["/orders", {}, 401, "token_missing", "Bearer"],
      ["/orders", bearer, 403, "insufficient_scope", 'Bearer error="insufficient_scope", scope="orders:write"'],
      ["/write", bearer, 403, "insufficient_scope", 'Bearer error="insufficient_scope", scope="orders:write"'],
    ];
    for (const [path, headers, status, code, challenge] of refused) {
      const answer = await get(path, { ...headers, "x-request-id": "req-1" });
      const { type, title, detail, ...rest } = answer.json;
      assert.deepEqual(rest, { status, code, request_id: "req-1" }, `${path} ${code}`);
      assert.equal(type, `urn:countersign:problem:${code}`);
      assert.ok(title && detail);
      assert.equal(answer.status, status);
      assert.equal(answer.headers.get("content-type").split(";")[0], "application/problem+json");
      assert.equal(answer.headers.get("cache-control"), "no-store");
      assert.equal(answer.headers.get("www-authenticate"), challenge);
    }

    // J04
    assert.equal((await get("/who", bearer)).headers.get("cache-control"), "no-store");
    assert.equal((await get("/cached", writer)).headers.get("cache-control"), "no-store");
    assert.equal((await get("/private", writer)).headers.get("cache-control"), "private, max-age=60");
    assert.equal((await get("/maybe")).headers.get("cache-control"), null, "nobody's answer may be cached");

    // K11
    source.state.stream = "off";
    source.state.poll = "off";
    source.cut();
    const deadline = performance.now() + 8000;
    for (;;) {
      const stale = await get("/who", bearer);
      if (stale.status === 503) {
        assert.equal(stale.json.code, "store_unavailable");
        assert.ok(Number(stale.headers.get("retry-after")) > 0);
        break;
      }
      assert.ok(performance.now() < deadline, "still let in");
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  });
}
