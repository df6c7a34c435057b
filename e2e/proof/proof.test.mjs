// The proof: the drill finds what is wrong where something is, and nothing where nothing is.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mistakes } from '../peers/peers.mjs';
import { missed } from './shown-by.mjs';
import { drill } from './subjects.mjs';

const findings = ({ checks }) =>
  checks.filter(({ result }) => result.verdict === 'finding').map(({ id, result }) => `${id}: ${result.evidence.summary}`);
const errors = ({ checks }) => checks.filter(({ result }) => result.verdict === 'error').map(({ id, result }) => `${id}: ${result.reason}`);

for (const name of ['leaky-saas', 'rota', 'guestbook']) {
  test(`the drill finds every mistake that was planted in ${name}`, { timeout: 400_000 }, async (t) => {
    const { report, code } = await drill(t, name);
    assert.deepEqual(missed(report, await mistakes(name)), []);
    assert.equal(code, 1, 'and says so');
  });
}

/** What no gateway mends: the application's own decisions and pages. docs/proof.md says what each is worth then. */
const INSIDE = [
  'api-key-in-url', 'api-key-limits', 'browser-csp', 'browser-framing', 'browser-stored-script', 'enumeration', 'enumeration-signup', 'enumeration-time',
  'state-changing-get', 'step-up', 'throttling', 'token-in-log',
];
/** What the bare application fails and what must hold now. */
const MENDED = [
  'access-lifetime', 'browser-token-readable', 'browser-token-sent-away', 'cors-reflection', 'jwt-claims', 'logout-revokes', 'must-refuse',
  'refresh-reuse-detection', 'shared-cache', 'stolen-elsewhere', 'token-in-body',
];

test('behind Countersign, by the configuration that the wizard writes, no token of the leaky application is left to steal', { timeout: 500_000 }, async (t) => {
  const { report } = await drill(t, 'leaky-saas behind Countersign');
  const verdict = (id) => report.checks.find((check) => check.id === id)?.result.verdict;
  assert.deepEqual(MENDED.filter((id) => verdict(id) !== 'pass').map((id) => `${id}: ${verdict(id)}`), []);
  assert.deepEqual(findings(report).filter((line) => !INSIDE.includes(line.split(':')[0])), []);
});

test('the drill finds nothing on Countersign', { timeout: 400_000 }, async (t) => {
  const { report, code } = await drill(t, 'countersign');
  assert.deepEqual([findings(report), errors(report), code], [[], [], 0]);
  const held = report.checks.filter(({ result }) => result.verdict === 'pass').length;
  assert.ok(held >= 20, `${held} checks held: with fewer it would be no proof`);
});
