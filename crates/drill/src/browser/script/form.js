// Finds the login form and keeps it in window.__drill: 'ready', or what is missing. `wanted` has selectors, or null.
((wanted) => {
  const visible = (element) => element.getClientRects().length > 0 && !element.disabled && !element.readOnly;
  const first = (selector) => [...document.querySelectorAll(selector)].find(visible);
  const password = wanted.password ? first(wanted.password) : first('input[type=password]');
  if (!password) return 'no password field';
  const form = password.form;
  const around = form || document.body;
  const kinds = ['text', 'email', 'tel', 'search', ''];
  const fields = [...around.querySelectorAll('input')].filter(visible);
  const before = fields.filter((field) => kinds.includes(field.getAttribute('type') ?? '')
    && (field.compareDocumentPosition(password) & Node.DOCUMENT_POSITION_FOLLOWING));
  const user = wanted.user ? first(wanted.user) : before.at(-1);
  if (!user) return 'no field for the name';
  // Two passwords are asked for by sign-up, not by sign-in.
  if (!wanted.password && fields.filter((field) => field.type === 'password').length > 1) return 'a sign-up form';
  const buttons = [...around.querySelectorAll('button, input[type=submit], [role=button]')].filter((b) => b.getClientRects().length > 0);
  const submit = wanted.submit ? first(wanted.submit)
    : buttons.find((b) => (b.type === 'submit' || /log.?in|sign.?in|anmelden|connexion|entrar/i.test(b.textContent)));
  window.__drill = { user, password, submit, form };
  return 'ready';
})
