// An issuer for tests: keys, tokens of every shape, and a revocation feed that can be made to fail in every way.
import { createHash, generateKeyPairSync, sign } from "node:crypto";
import { once } from "node:events";
import http from "node:http";
import { calculateJwkThumbprint } from "jose";
import { Verifier } from "../src/index.js";

const b64 = (value) => Buffer.from(value).toString("base64url");
export const hashed = (text) => createHash("sha256").update(text).digest("base64url");

/** A key pair with its public JWK. */
export async function keyPair(alg = "EdDSA") {
  const { publicKey, privateKey } =
    alg === "ES256" ? generateKeyPairSync("ec", { namedCurve: "P-256" }) : generateKeyPairSync("ed25519");
  const bare = publicKey.export({ format: "jwk" });
  const kid = await calculateJwkThumbprint(bare);
  return { alg, kid, privateKey, jwk: { ...bare, use: "sig", alg, kid } };
}

/** Signs whatever it is given. `raw` replaces the text of header or claims. */
export function signed(key, header, claims, { rawHeader, rawClaims } = {}) {
  const input = `${b64(rawHeader ?? JSON.stringify(header))}.${b64(rawClaims ?? JSON.stringify(claims))}`;
  const options = key.alg === "ES256" ? { key: key.privateKey, dsaEncoding: "ieee-p1363" } : key.privateKey;
  return `${input}.${sign(key.alg === "ES256" ? "sha256" : null, Buffer.from(input), options).toString("base64url")}`;
}

/** Starts an issuer for the test `t`. */
export async function issuer(t) {
  const state = {
    keys: [await keyPair()],
    counts: { keys: 0, polls: 0, streams: 0 },
    /** What `/.well-known/jwks.json` does instead of answering. */
    keysAnswer: undefined,
    /** "on", "off" (404), "refused" (401), "silent" (opens, says nothing) */
    stream: "on",
    /** "on", "off" (503), "refused" (401) */
    poll: "on",
    feedIssuer: undefined,
    entries: { sessions: [], users: [], abandoned: [] },
    authorizations: new Set(),
  };
  const open = new Set();
  const cursor = () => String(state.entries.sessions.length + state.entries.users.length + state.entries.abandoned.length);
  const changes = () => ({ iss: state.feedIssuer ?? self.origin, cursor: cursor(), keep_seconds: 3660, ...state.entries });
  const heartbeat = () => ({ iss: state.feedIssuer ?? self.origin, cursor: cursor() });
  const event = (name, data) => `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;

  const server = http.createServer((request, response) => {
    const { pathname } = new URL(request.url, "http://x");
    if (pathname === "/.well-known/jwks.json") {
      state.counts.keys += 1;
      if (state.keysAnswer) return state.keysAnswer(request, response);
      response.setHeader("content-type", "application/jwk-set+json");
      return response.end(JSON.stringify({ keys: state.keys.map(({ jwk }) => jwk) }));
    }
    if (pathname !== "/auth/revocations") return response.writeHead(404).end();
    state.authorizations.add(request.headers.authorization);
    if (request.headers.accept === "text/event-stream") {
      state.counts.streams += 1;
      if (state.stream === "off") return response.writeHead(404).end();
      if (state.stream === "refused") return response.writeHead(401).end();
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.flushHeaders();
      open.add(response);
      response.on("close", () => open.delete(response));
      if (state.stream === "on") response.write(`retry: 1000\n\n${event("changes", changes())}${event("heartbeat", heartbeat())}`);
      return undefined;
    }
    state.counts.polls += 1;
    if (state.poll !== "on") return response.writeHead(state.poll === "refused" ? 401 : 503).end();
    response.setHeader("content-type", "application/json");
    return response.end(JSON.stringify(changes()));
  });
  const beat = setInterval(() => {
    if (state.stream === "on") for (const response of open) response.write(event("heartbeat", heartbeat()));
  }, 200);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    clearInterval(beat);
    server.close();
    server.closeAllConnections();
  });

  const self = {
    state,
    origin: `http://127.0.0.1:${server.address().port}`,
    /** Tells the feed, and all who listen, at once. */
    revoke(kind, entry) {
      state.entries[kind].push(entry);
      const empty = { sessions: [], users: [], abandoned: [] };
      if (state.stream === "on") for (const response of open) response.write(event("changes", { ...changes(), ...empty, [kind]: [entry] }));
    },
    /** Breaks all streams. */
    cut() {
      for (const response of open) response.destroy();
    },
    /** Claims of a good access token; `undefined` takes one out. */
    access(over = {}) {
      const now = Math.floor(Date.now() / 1000);
      return {
        iss: self.origin, sub: "LPJNul", aud: ["api"], client_id: "web", iat: now, exp: now + 900, jti: "j1",
        sid: b64(Buffer.alloc(16, 7)), gen: 3, epoch: 1, env: "development", purpose: "access", scope: "orders:read",
        auth_time: now - 60, amr: ["pwd"], ...over,
      };
    },
    /** Claims of a good assertion. */
    assertion(over = {}) {
      const now = Math.floor(Date.now() / 1000);
      return {
        iss: self.origin, sub: "LPJNul", aud: ["web", "api"], iat: now, exp: now + 60, jti: "j2", session: "pub1",
        env: "development", purpose: "assertion", scope: "orders:read", auth_time: now - 60, amr: ["pwd"],
        email: "ada@example.com", email_verified: true, ...over,
      };
    },
    header: (over = {}, key = state.keys[0]) => ({ alg: key.alg, kid: key.kid, typ: "at+jwt", ...over }),
    token: (over, { header, key = state.keys[0] } = {}) => signed(key, self.header(header, key), self.access(over)),
    statement: (over, { header, key = state.keys[0] } = {}) =>
      signed(key, self.header({ typ: "cs-assertion+jwt", ...header }, key), self.assertion(over)),
    /** A verifier of ours, closed with the test. */
    verifier(options = {}) {
      const verifier = new Verifier({
        issuer: self.origin, environment: "development", audience: "api", assertions: true, accessTokens: true,
        revocations: "csk_development_x", log: () => {}, ...options,
      });
      t.after(() => verifier.close());
      return verifier;
    },
    /** One that is ready. */
    async ready(options) {
      const verifier = self.verifier(options);
      await verifier.ready();
      return verifier;
    },
  };
  return self;
}

/** A request with these header lines. */
export const request = (...rawHeaders) => ({ rawHeaders });
export const bearer = (token) => request("Authorization", `Bearer ${token}`);
export const asserted = (token) => request("Countersign-Assertion", token);

/** The code that a request is refused with; "ok" if it is not. */
export async function outcome(verifier, presented) {
  try {
    await verifier.verify(presented);
    return "ok";
  } catch (error) {
    if (!error.code || error.name !== "Refusal") throw error;
    return error.code;
  }
}

