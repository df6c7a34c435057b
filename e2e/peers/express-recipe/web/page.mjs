// No token is within reach of this script: cookies carry them.
const $ = (id) => document.getElementById(id);

let refreshing;
/** One refresh at a time: a second one would present a spent token. */
const refresh = () =>
  (refreshing ??= navigator.locks
    .request('refresh', () => fetch('/api/refresh', { method: 'POST' }))
    .finally(() => (refreshing = undefined)));

async function call(method, path, body, again = true) {
  const headers = {};
  if (method !== 'GET') headers['x-csrf-token'] = (await (await fetch('/api/csrf')).json()).csrfToken;
  if (body) headers['content-type'] = 'application/json';
  const answer = await fetch(path, { method, headers, body: body && JSON.stringify(body) });
  if (answer.status === 401 && again && path !== '/api/login' && (await refresh()).ok) return call(method, path, body, false);
  const said = answer.headers.get('content-type')?.includes('json') ? await answer.json() : {};
  if (!answer.ok) throw new Error(said.error);
  return said;
}

async function show() {
  const me = await call('GET', '/api/me').catch(() => undefined);
  $('enter').hidden = Boolean(me);
  $('inside').hidden = !me;
  if (!me) return;
  $('name').textContent = me.user.name;
  const { notes } = await call('GET', '/api/notes');
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

$('enter').onsubmit = act((form) => call('POST', '/api/login', asked(form)));
$('add').onsubmit = act((form) => call('POST', '/api/notes', asked(form)));
$('leave').onclick = act(() => call('POST', '/api/logout'));
show();
