// Starts the application. PORT (3000), NODE_ENV (production), DATABASE (in memory), LOG (standard output).
import { createWriteStream } from 'node:fs';
import { application } from './app.mjs';
import { Store } from './store.mjs';

const port = Number(process.env.PORT ?? 3000);
const stage = process.env.NODE_ENV ?? 'production';
const log = process.env.LOG ? createWriteStream(process.env.LOG, { flags: 'a' }) : process.stdout;
const store = new Store(process.env.DATABASE ?? ':memory:');

const server = application(store, { stage, log }).listen(port, '127.0.0.1', (error) => {
  if (error) {
    console.error(`leaky-saas: port ${port}: ${error.message}`);
    process.exit(2);
  }
  console.error(`leaky-saas (vulnerable on purpose, ${stage}) on http://localhost:${server.address().port}`);
});
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(0));
