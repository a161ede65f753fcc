// Makes a checkout ready: right Node, packages installed, build fresh. In an installed package there is nothing to do.
// All output goes to standard error: standard output belongs to the command.
import { spawnSync } from 'node:child_process';
import { existsSync, lstatSync, readdirSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const NODE_MIN = [20, 19];
const SOURCES = ['core', 'hal', 'boards', 'sim', 'tools'];
const root = fileURLToPath(new URL('..', import.meta.url));

const fail = (line) => {
  console.error(`belfry: ${line}`);
  process.exit(2);
};

const [major, minor] = process.versions.node.split('.').map(Number);
if (major < NODE_MIN[0] || (major === NODE_MIN[0] && minor < NODE_MIN[1])) {
  fail(`Node ${process.versions.node} is too old; install Node ${NODE_MIN.join('.')} or newer`);
}

const timeOf = (path) => (existsSync(root + path) ? statSync(root + path).mtimeMs : 0);

const newestSource = () =>
  Math.max(
    timeOf('package.json'),
    timeOf('tsup.config.ts'),
    ...SOURCES.flatMap((dir) =>
      readdirSync(root + dir, { recursive: true })
        .filter((file) => /\.(ts|html|css|js)$/.test(file))
        .map((file) => statSync(`${root}${dir}/${file}`).mtimeMs),
    ),
  );

/** npm runs by its own path where npm started us (no shell, no second npm); else whichever npm is on the PATH. */
const npm = (what, ...args) => {
  console.error(`belfry: ${what} …`);
  const own = process.env.npm_execpath?.endsWith('npm-cli.js') ? process.env.npm_execpath : undefined;
  const [command, ...before] = own ? [process.execPath, own] : ['npm'];
  const shell = !own && process.platform === 'win32';
  const result = spawnSync(command, [...before, ...args], { cwd: root, stdio: ['ignore', 2, 2], shell });
  if (result.error) fail(`${what} could not start (${result.error.message}); is npm on the PATH?`);
  if (result.status !== 0) fail(`${what} failed; the lines above say why`);
};

/** Packages that a link borrows from another checkout are that one's: installing here would empty them there. */
const packagesAreBorrowed = () => existsSync(`${root}node_modules`) && lstatSync(`${root}node_modules`).isSymbolicLink();

// tsup.config.ts is not in the tarball, so its presence tells a checkout from an installed package.
if (existsSync(`${root}tsup.config.ts`)) {
  if (!packagesAreBorrowed() && timeOf('node_modules/.package-lock.json') < timeOf('package-lock.json')) {
    npm('installing packages (once)', 'ci', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error');
  }
  if (timeOf('dist/cli.js') < newestSource()) npm('building', 'run', '-s', 'build');
}
