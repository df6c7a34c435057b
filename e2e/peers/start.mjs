// node start.mjs NAME --port N [--data DIR]: serves one of the applications until it is ended. Prints `ready URL`, and
// where its certificate and its data are.
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { PEERS, peer } from './peers.mjs';

const usage = () => {
  const names = Object.entries(PEERS).map(([name, { what }]) => `  ${name.padEnd(18)} ${what}`);
  console.error(`node start.mjs NAME --port N [--data DIR]\n\n${names.join('\n')}`);
  process.exit(2);
};

let asked;
try {
  asked = parseArgs({ allowPositionals: true, options: { port: { type: 'string' }, data: { type: 'string' } } });
} catch {
  usage();
}
const [name, ...more] = asked.positionals;
const port = Number(asked.values.port);
if (!PEERS[name] || more.length || !Number.isInteger(port) || port < 1 || port > 65535) usage();

const ends = [];
const directory = asked.values.data ? path.resolve(asked.values.data) : await mkdtemp(path.join(tmpdir(), `${name}-`));
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, async () => {
    for (const end of ends) await end();
    process.exit(0);
  });
}
try {
  const running = await peer({ after: (end) => ends.push(end) }, name, { port, directory });
  console.log(`ready ${running.url}`);
  console.log(JSON.stringify({ name, url: running.url, ca: running.ca, data: directory, accounts: running.accounts.map(({ login }) => login) }));
} catch (error) {
  for (const end of ends) await end();
  console.error(`${name}: ${error.message}`);
  process.exit(1);
}
