// Text fields whose content a signed-in person may change, each marked with its number: [{ at, name, form }].
(() => {
  const visible = (element) => element.getClientRects().length > 0 && !element.disabled && !element.readOnly;
  const found = [];
  const kinds = ['text', ''];
  for (const field of document.querySelectorAll('textarea, input')) {
    const kind = field.getAttribute('type') ?? '';
    if (field.tagName === 'INPUT' && !kinds.includes(kind)) continue;
    if (!visible(field) || /search|query|^q$|password|captcha/i.test(`${field.name} ${field.id} ${field.placeholder}`)) continue;
    // Names and addresses are what people sign in with: changing them would lock the account out.
    if (/mail|user.?name|login|phone|handle/i.test(`${field.name} ${field.id}`) || field.closest('[role=search]')) continue;
    if (field.form && field.form.querySelector('input[type=password]')) continue;
    field.setAttribute('data-drill-field', String(found.length));
    found.push({ at: found.length, name: field.name || field.id || field.placeholder || field.tagName.toLowerCase() });
  }
  return found;
})()
