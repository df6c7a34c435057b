// Installs and builds what is missing, then serves: one command from a clean clone.
import { spawnSync } from 'node:child_process';
import { existsSync, statSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));

function run(program, ...parameters) {
  const done = spawnSync(program, parameters, { cwd: here, stdio: ['ignore', 'ignore', 'inherit'] });
  if (done.status !== 0) {
    console.error(`leaky-saas: ${program} ${parameters.join(' ')} failed`);
    process.exit(2);
  }
}

/** The newest change below a folder, in milliseconds. */
function newest(folder) {
  return Math.max(
    ...readdirSync(folder, { recursive: true }).map((name) => statSync(join(folder, name)).mtimeMs),
  );
}

if (!existsSync(join(here, 'node_modules', '.package-lock.json'))) {
  console.error('leaky-saas: installing packages …');
  run('npm', 'ci', '--no-audit', '--no-fund', '--loglevel=error');
}
const page = join(here, 'dist', 'index.html');
if (!existsSync(page) || statSync(page).mtimeMs < newest(join(here, 'web'))) {
  console.error('leaky-saas: building the page …');
  run(process.execPath, join('node_modules', 'vite', 'bin', 'vite.js'), 'build', '--logLevel', 'error');
}
await import('./server/main.mjs');
