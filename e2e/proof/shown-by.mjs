// Which checks of the drill show which planted mistake: any one of them is enough.
export const SHOWN_BY = {
  'alg-none': ['jwt-alg-none'],
  'cache-poisoning': ['cache-poisoning'],
  'cookie-flags': ['cookie-httponly'],
  'cors-reflection': ['cors-reflection'],
  csrf: ['csrf', 'browser-csrf-cross-site', 'browser-csrf-same-site'],
  enumeration: ['enumeration'],
  'enumeration-by-time': ['enumeration-time'],
  'header-spoofing': ['identity-headers'],
  'indexed-db': ['browser-token-readable'],
  'key-in-url': ['api-key-in-url'],
  'kid-path': ['jwt-kid'],
  'local-storage': ['browser-token-readable'],
  'login-csrf': ['login-csrf', 'browser-login-csrf'],
  'logout-forgets-nothing': ['logout-revokes'],
  'long-lived-session': ['access-lifetime'],
  'long-lived-token': ['access-lifetime'],
  'missing-claims': ['jwt-claims'],
  'no-step-up': ['step-up'],
  'no-throttle': ['throttling'],
  'open-redirect': ['open-redirect'],
  'renewal-for-ever': ['refresh-replay', 'refresh-reuse-detection'],
  'script-hole': ['browser-stored-script'],
  'session-fixation': ['session-fixation'],
  'session-in-url': ['token-in-url'],
  'session-storage': ['browser-token-readable'],
  'shared-cache': ['shared-cache'],
  'shared-secret': ['wrong-environment'],
  'signature-only': ['must-refuse', 'expiry-enforced'],
  'state-changing-get': ['state-changing-get'],
  'token-in-body': ['token-in-body'],
  'token-in-log': ['token-in-log'],
  'token-in-url': ['token-in-url'],
  'unlimited-api-key': ['api-key-limits'],
};

/** The mistakes that a report does not show, each with what its checks said. */
export function missed(report, mistakes) {
  const said = new Map(report.checks.map(({ id, result }) => [id, result]));
  return mistakes
    .filter(({ id }) => !(SHOWN_BY[id] ?? []).some((check) => said.get(check)?.verdict === 'finding'))
    .map(({ id }) => `${id}: ${(SHOWN_BY[id] ?? ['no check is named']).map((check) => `${check} ${JSON.stringify(said.get(check))}`).join('; ')}`);
}
