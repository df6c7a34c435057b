// Tokens as many tutorials make them. Each MISTAKE is listed in mistakes.json.
import jwt from 'jsonwebtoken';

// MISTAKE shared-secret: staging and production sign with the same key, and nothing in a token says which it is from.
const SECRET = process.env.JWT_SECRET ?? 'notewell-super-secret-signing-key-2024';

export function makeToken(person) {
  // MISTAKE long-lived-token: good for thirty days, and nothing can end it earlier.
  // MISTAKE missing-claims: no issuer, no audience, no purpose.
  return jwt.sign({ sub: String(person.id), email: person.email, name: person.name }, SECRET, { expiresIn: '30d' });
}

/** The id of the person a token speaks for, or nothing. */
export function readToken(token) {
  try {
    // MISTAKE signature-only: expired tokens pass, and so do those made for something else.
    return Number(jwt.verify(token, SECRET, { ignoreExpiration: true }).sub);
  } catch {
    return undefined;
  }
}
