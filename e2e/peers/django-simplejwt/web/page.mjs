// Simple JWT answers both tokens in the body; where they stay is left to the page. The access token stays in memory;
// the refresh token must survive a reload, so it goes into sessionStorage: the least lasting place that does.
const $ = (id) => document.getElementById(id);
const KEY = 'refresh';
let access;

const send = (method, path, body, headers = {}) =>
  fetch(path, { method, headers: { 'content-type': 'application/json', ...headers }, body: body && JSON.stringify(body) });

async function enter(body) {
  const answer = await send('POST', '/api/token/', body);
  const said = await answer.json();
  if (!answer.ok) throw new Error(said.detail ?? 'that is not right');
  access = said.access;
  sessionStorage.setItem(KEY, said.refresh);
}

let refreshing;
/** One refresh at a time: a spent token is on the blacklist. */
const refresh = () =>
  (refreshing ??= (async () => {
    const token = sessionStorage.getItem(KEY);
    if (!token) return false;
    const answer = await send('POST', '/api/token/refresh/', { refresh: token });
    if (!answer.ok) return sessionStorage.removeItem(KEY), false;
    const said = await answer.json();
    access = said.access;
    sessionStorage.setItem(KEY, said.refresh);
    return true;
  })().finally(() => (refreshing = undefined)));

async function call(method, path, body, again = true) {
  if (!access && !(await refresh())) throw new Error('please log in');
  const answer = await send(method, path, body, { authorization: `Bearer ${access}` });
  if (answer.status === 401 && again && (await refresh())) return call(method, path, body, false);
  if (!answer.ok) throw new Error((await answer.json()).detail);
  return answer.json();
}

async function leave() {
  await send('POST', '/api/token/blacklist/', { refresh: sessionStorage.getItem(KEY) });
  access = undefined;
  sessionStorage.removeItem(KEY);
}

async function show() {
  const me = await call('GET', '/api/me/').catch(() => undefined);
  $('enter').hidden = Boolean(me);
  $('inside').hidden = !me;
  if (!me) return;
  $('name').textContent = me.username;
  const { notes } = await call('GET', '/api/notes/');
  $('notes').replaceChildren(...notes.map(({ text }) => Object.assign(document.createElement('li'), { textContent: text })));
}

const act = (work) => async (event) => {
  event.preventDefault();
  $('said').textContent = '';
  try {
    await work(event.target);
    await show();
  } catch (error) {
    $('said').textContent = error.message;
  }
};
const asked = (form) => Object.fromEntries(new FormData(form));

$('enter').onsubmit = act((form) => enter(asked(form)));
$('add').onsubmit = act((form) => call('POST', '/api/notes/', asked(form)));
$('leave').onclick = act(leave);
show();
