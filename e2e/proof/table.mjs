// node table.mjs [--write] [--at-once N] [NAME]…: attacks every subject, or those named, and prints the table of docs/proof.md,
// or puts it there. One after the other by default: comparing times needs a quiet machine.
import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { drill, SUBJECTS } from './subjects.mjs';

const DOCUMENT = fileURLToPath(new URL('../../docs/proof.md', import.meta.url));
const [BEGIN, END] = ['<!-- begin: made by `cargo xtask proof` -->', '<!-- end -->'];
const SEVERITIES = ['critical', 'high', 'medium', 'low', 'info'];

const { values, positionals: names } = parseArgs({
  allowPositionals: true,
  options: { write: { type: 'boolean' }, 'at-once': { type: 'string', default: '1' } },
});

async function attacked(name) {
  const ends = [];
  try {
    return (await drill({ after: (end) => ends.unshift(end) }, name)).report;
  } finally {
    for (const end of ends) await end();
  }
}

/** `2 high, 1 low`, most severe first. */
function counted(report) {
  const found = report.checks.filter(({ result }) => result.verdict === 'finding').map(({ result }) => result.severity);
  const parts = SEVERITIES.map((severity) => [found.filter((one) => one === severity).length, severity]).filter(([count]) => count);
  return parts.length ? parts.map(([count, severity]) => `${count} ${severity}`).join(', ') : '**none**';
}

const SIGNS = { pass: 'held', inconclusive: '?', not_applicable: '–', error: 'error' };

function cell(report, id) {
  const result = report.checks.find((check) => check.id === id)?.result;
  if (!result) return '–';
  return result.verdict === 'finding' ? `**${result.severity}**` : SIGNS[result.verdict];
}

/** One line for people; long lists stay in the report. */
const short = (text, most = 120) => (text.length > most ? `${text.slice(0, most - 1)}…` : text).replaceAll('|', '\\|').replaceAll('\n', ' ');

function tables(reports) {
  const all = Object.keys(reports);
  const lines = [
    '| | what | findings | checks that held | neither | not applicable | seconds |',
    '|---|---|---|---|---|---|---|',
  ];
  for (const name of all) {
    const { checks, took_ms: took } = reports[name];
    const count = (...verdicts) => checks.filter(({ result }) => verdicts.includes(result.verdict)).length;
    lines.push(
      `| ${name} | ${SUBJECTS[name].what} | ${counted(reports[name])} | ${count('pass')} | ${count('inconclusive', 'error')} | ${count('not_applicable')} | ${Math.round(took / 1000)} |`,
    );
  }
  lines.push('', `| a good application … | ${all.join(' | ')} |`, `|---|${all.map(() => '---').join('|')}|`);
  const checks = [...new Map(all.flatMap((name) => reports[name].checks.map(({ id, title }) => [id, title])))];
  for (const [id, title] of checks) {
    const row = all.map((name) => cell(reports[name], id));
    if (row.some((sign) => sign.startsWith('**'))) lines.push(`| \`${id}\`: ${short(title)} | ${row.join(' | ')} |`);
  }
  lines.push('', '**severity**: it worked. held: it was tried and did not. ?: tried, and the answers say neither. –: nothing to try it on.');
  for (const name of all) {
    const told = reports[name].checks.filter(({ result }) => ['finding', 'inconclusive', 'error'].includes(result.verdict));
    lines.push('', `### ${name}`, '');
    if (!told.length) lines.push('Nothing to tell.');
    for (const { id, result } of told) {
      lines.push(`- ${result.severity ?? result.verdict}: \`${id}\`: ${short(result.evidence?.summary ?? result.reason ?? '', 220)}`);
    }
  }
  return lines.join('\n');
}

const wanted = names.length ? names : Object.keys(SUBJECTS);
const unknown = wanted.filter((name) => !SUBJECTS[name]);
if (unknown.length) {
  console.error(`no subject ${unknown.join(', ')}; there are: ${Object.keys(SUBJECTS).join(', ')}`);
  process.exit(2);
}
const reports = Object.fromEntries(wanted.map((name) => [name, undefined]));
const left = [...wanted];
const worker = async () => {
  for (let name = left.shift(); name; name = left.shift()) {
    console.error(`attacking ${name} …`);
    reports[name] = await attacked(name);
  }
};
await Promise.all(Array.from({ length: Math.max(1, Number(values['at-once'])) }, worker));
const made = `${BEGIN}\n${tables(reports)}\n${END}`;
if (values.write && !names.length) {
  const document = await readFile(DOCUMENT, 'utf8');
  const [before, rest] = document.split(BEGIN);
  const after = rest?.split(END)[1];
  if (after === undefined) throw new Error(`${DOCUMENT} has no place for the table: ${BEGIN} … ${END}`);
  await writeFile(DOCUMENT, before + made + after);
  console.error(`${DOCUMENT} was written`);
} else {
  console.log(made);
}
