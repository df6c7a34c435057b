// No token is kept by this script: a cookie carries the session.
const $ = (id) => document.getElementById(id);

async function call(method, path, body) {
  const headers = body ? { 'content-type': 'application/json' } : {};
  const answer = await fetch(path, { method, headers, body: body && JSON.stringify(body) });
  const said = answer.headers.get('content-type')?.includes('json') ? await answer.json() : {};
  if (!answer.ok) throw new Error(said?.error ?? said?.message ?? `the server said ${answer.status}`);
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

$('enter').onsubmit = act((form) => call('POST', '/api/auth/sign-in/email', asked(form)));
$('add').onsubmit = act((form) => call('POST', '/api/notes', asked(form)));
$('leave').onclick = act(() => call('POST', '/api/auth/sign-out', {}));
show();
