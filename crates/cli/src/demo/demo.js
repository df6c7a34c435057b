// The demonstration application's script: a token planted on purpose, the theft script, and signing out.
"use strict";

const PLANTED = "demo_legacy_token";
/** What tokens look like: JSON Web Tokens, and Countersign's own refresh tokens and API keys. */
const SHAPES = /eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]+|\bcs[rk]_[a-z0-9]+_[0-9A-Za-z]{20,}/g;

// ── what many applications do: the token lies where every script can read it ──

function fakeToken(place) {
  const part = (value) => btoa(JSON.stringify(value)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
  const claims = { sub: "demo", note: "planted on purpose", place, exp: 4102444800 };
  return `${part({ alg: "none", typ: "JWT" })}.${part(claims)}.worthless`;
}

function plant() {
  localStorage.setItem(PLANTED, fakeToken("localStorage"));
  const secure = location.protocol === "https:" ? "; Secure" : "";
  document.cookie = `${PLANTED}=${fakeToken("cookie")}; Path=/; SameSite=Lax${secure}`;
}

// ── what an injected script does ──

const tokensIn = (text) => text.match(SHAPES) ?? [];

function storage(name) {
  return Object.entries({ ...window[name] }).map(([key, value]) => `${key} = ${value}`);
}

const ask = () => fetch("/auth/session", { headers: { accept: "application/json" } });

/** All that the answer holds, member by member. */
async function session() {
  return Object.entries(await (await ask()).json()).map(([name, value]) => `${name} = ${JSON.stringify(value)}`);
}

function globals() {
  return Object.getOwnPropertyNames(window).filter((name) => {
    try {
      return typeof window[name] === "string" && tokensIn(window[name]).length > 0;
    } catch {
      return false;
    }
  });
}

/** Where it looks, and how it gets at what is there. */
const PLACES = [
  ["Cookies", "document.cookie", () => document.cookie.split("; ").filter(Boolean)],
  [
    "Cookies, the new way",
    "cookieStore.getAll()",
    async () => (window.cookieStore ? (await cookieStore.getAll()).map(({ name, value }) => `${name}=${value}`) : []),
  ],
  ["Local storage", "localStorage", () => storage("localStorage")],
  ["Session storage", "sessionStorage", () => storage("sessionStorage")],
  [
    "Databases",
    "indexedDB.databases()",
    async () => (indexedDB.databases ? (await indexedDB.databases()).map(({ name }) => name) : []),
  ],
  ["Caches", "caches.keys()", async () => (window.caches ? caches.keys() : [])],
  ["Global variables", "window.*", globals],
  ["Asking the server", "fetch(\"/auth/session\")", session],
];

/** What the members of the session's answer are worth: it tells a script who you are, and holds nothing that lets anybody in. */
const MEMBERS = {
  user: "who you are, as this page shows it too: a script can read it, and nobody gets in with it",
  session: "the session's public name and its deadlines: the secret id in the cookies is not among them",
  access_expires_at: "a time",
  csrf_token:
    "no credential: it shows that a request comes from this site's own pages, and counts only together with this session's HttpOnly cookies, which a script can neither read nor carry away",
};

/** What a find is worth to a thief. */
function worth(find) {
  if (find.includes(PLANTED)) return ["bad", "stolen: it works on the thief's machine until it expires"];
  if (/^(__Host-)?cs-csrf/.test(find)) return ["fine", "readable on purpose: worthless without the cookies that script cannot read"];
  if (tokensIn(find).length > 0) return ["bad", "a token"];
  const member = MEMBERS[find.split(" = ")[0]];
  if (member) return ["fine", member];
  return ["fine", "no token"];
}

async function steal() {
  const finds = [];
  for (const [place, how, look] of PLACES) {
    try {
      finds.push([place, how, await look()]);
    } catch (error) {
      finds.push([place, how, [], error.message]);
    }
  }
  return finds;
}

// ── showing it ──

function element(tag, text, className) {
  const made = document.createElement(tag);
  if (text) made.textContent = text;
  if (className) made.className = className;
  return made;
}

function show(finds) {
  const loot = document.getElementById("loot");
  const ours = finds.flatMap(([, , found]) => found).filter((find) => worth(find)[0] === "bad" && !find.includes(PLANTED));
  const verdict =
    ours.length === 0
      ? "Of the session: nothing that lets a thief in. Of the planted token: everything. While it runs in this page the script can act as you; it cannot take that away with it."
      : `Of the session: ${ours.length} token(s). That must not happen: please report it.`;
  const list = element("ul", "", "loot");
  for (const [place, how, found, failure] of finds) {
    const item = element("li");
    const head = element("h3", place);
    head.append(" ", element("code", how));
    item.append(head);
    if (found.length === 0) item.append(element("p", failure ? `nothing (${failure})` : "nothing", "nothing"));
    for (const find of found) {
      const [kind, text] = worth(find);
      const line = element("p", "", `find ${kind}`);
      line.append(element("code", find), element("span", text, "worth"));
      item.append(line);
    }
    list.append(item);
  }
  loot.replaceChildren(element("p", verdict, ours.length === 0 ? "verdict" : "verdict bad"), list);
}

document.getElementById("steal").addEventListener("click", async (event) => {
  event.target.disabled = true;
  plant();
  show(await steal());
  event.target.disabled = false;
});

// ── asking whether the session still lives ──

document.getElementById("ask").addEventListener("click", async () => {
  const answer = document.getElementById("answer");
  const response = await ask();
  if (response.ok) {
    const { user } = await response.json();
    const line = element("p", `Yes, as ${user.email}. Nobody has ended this session.`, "verdict");
    answer.replaceChildren(line);
    return;
  }
  const line = element("p", "No. The session was ended, and this very next request was refused already. ", "verdict bad");
  const link = element("a", "Load the page again: the sign-in page says why.");
  link.href = "/";
  line.append(link);
  answer.replaceChildren(line);
});

// ── signing out: the form needs a token that other sites cannot have ──

const signOut = document.getElementById("sign-out");
signOut.hidden = false;
signOut.addEventListener("submit", async (event) => {
  event.preventDefault();
  const answer = await fetch("/auth/csrf", { headers: { accept: "application/json" } });
  signOut.elements._csrf.value = (await answer.json()).csrf_token;
  signOut.submit();
});

plant();
