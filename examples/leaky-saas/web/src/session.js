// Who is signed in, as the page knows it.

// MISTAKE local-storage: every script of this origin can read this, and take it away.
const KEY = 'token';

export const token = () => localStorage.getItem(KEY);
export const remember = (value) => localStorage.setItem(KEY, value);
export const forget = () => localStorage.removeItem(KEY);

/** The claims, for the name in the corner. */
export function claims() {
  try {
    const [, body] = token().split('.');
    return JSON.parse(atob(body.replaceAll('-', '+').replaceAll('_', '/')));
  } catch {
    return undefined;
  }
}

/** Calls the API; answers its JSON, or throws what it says. */
export async function call(method, path, body) {
  const headers = {};
  if (token()) headers.authorization = `Bearer ${token()}`;
  if (body) headers['content-type'] = 'application/json';
  const answer = await fetch(`/api${path}`, { method, headers, body: body && JSON.stringify(body) });
  const said = answer.status === 204 ? {} : await answer.json();
  if (answer.status === 401 && token()) forget();
  if (!answer.ok) throw new Error(said.error ?? said.detail ?? `the server said ${answer.status}`);
  return said;
}
