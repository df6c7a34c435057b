// An application that keeps its own passwords, behind the gateway: it asks Countersign to open a session, and hands it over on its answer.
// No package is needed. See README.md for how to run it.
import { scryptSync, timingSafeEqual, randomBytes } from "node:crypto";
import http from "node:http";

const { COUNTERSIGN_URL = "http://localhost:8443", SESSIONS_KEY, PORT = "3000" } = process.env;
if (!SESSIONS_KEY) throw new Error("set SESSIONS_KEY to an API key with the scope sessions:open");

const salt = randomBytes(16);
const hash = (password) => scryptSync(password, salt, 32);
// Who these people are to Countersign is said by the address, which both sides have verified.
const people = new Map([["ada@example.com", hash("violet tractor mends 47 quiet clouds")]]);
const NOBODY = hash(randomBytes(16).toString("hex"));

function knows(email, password) {
  // As slow for an unknown address as for a wrong password.
  return timingSafeEqual(people.get(email) ?? NOBODY, hash(password)) && people.has(email);
}

async function openSession(email, request) {
  const answer = await fetch(new URL("/auth/sessions", COUNTERSIGN_URL), {
    method: "POST",
    headers: { authorization: `Bearer ${SESSIONS_KEY}`, "content-type": "application/json" },
    body: JSON.stringify({
      user: { email, email_verified: true },
      amr: ["pwd"],
      handover: true,
      ip: request.headers["x-forwarded-for"],
      user_agent: request.headers["user-agent"],
    }),
  });
  if (answer.status !== 201) throw new Error(`POST /auth/sessions: ${answer.status} ${await answer.text()}`);
  return (await answer.json()).handover;
}

async function form(request) {
  let body = "";
  for await (const piece of request) {
    body += piece;
    if (body.length > 10_000) throw new Error("too long");
  }
  return new URLSearchParams(body);
}

const page = (body) => `<!doctype html><html lang="en"><title>own login</title><body>${body}</body></html>`;
const SIGN_IN = `<form method="post" action="/sign-in">
<input name="email" type="email" autocomplete="username"> <input name="password" type="password" autocomplete="current-password">
<button>Sign in</button></form>`;

async function answer(request, response) {
  const send = (status, body, headers = {}) => {
    response.writeHead(status, { "content-type": "text/html; charset=utf-8", ...headers });
    response.end(page(body));
  };
  if (request.method === "POST" && request.url === "/sign-in") {
    const fields = await form(request);
    const email = fields.get("email") ?? "";
    if (!knows(email, fields.get("password") ?? "")) return send(401, `<p>That is not right.</p>${SIGN_IN}`);
    // The gateway takes this header off, and sets the cookies of the session.
    const code = await openSession(email, request);
    return send(303, "", { "countersign-session": code, location: "/" });
  }
  const user = request.headers["x-auth-user"];
  return send(200, user ? `<p id="user">${user}</p>` : SIGN_IN);
}

http
  .createServer((request, response) =>
    answer(request, response).catch((error) => {
      console.error(error.message);
      response.writeHead(500).end();
    }),
  )
  .listen(Number(PORT), "127.0.0.1");
