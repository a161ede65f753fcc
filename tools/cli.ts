/** The command line: finds the command, reads its arguments, and turns every failure into one line and an exit status. */
import { readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { CannotRun, type Command, type ExitStatus, helpText, type Io, parseArguments } from './command.js';
import { boardsCommand } from './commands/boards.js';
import { explainCommand } from './commands/explain.js';
import { factoryCommand } from './commands/factory.js';
import { flashCommand } from './commands/flash.js';
import { peersCommand } from './commands/peers.js';
import { runCommand } from './commands/run.js';
import { simCommand } from './commands/sim.js';

const COMMANDS: readonly Command[] = [boardsCommand, factoryCommand, flashCommand, runCommand, peersCommand, simCommand, explainCommand];

const version = (): string =>
  (JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }).version;

function overview(): string {
  const width = Math.max(...COMMANDS.map(({ name }) => name.length)) + 2;
  return [
    'belfry: the firmware core of a secure SIP paging endpoint, simulated, on this machine, or on your board',
    '',
    'usage: belfry COMMAND [ARGUMENTS]',
    '',
    ...COMMANDS.map(({ name, summary }) => `  ${name.padEnd(width)}${summary}`),
    '',
    'belfry COMMAND --help tells more. Exit status: 0 done, 1 the thing under test failed, 2 the command could not be run.',
  ].join('\n');
}

function createIo(json: boolean): Io {
  return {
    json,
    say: (line) => void (json ? process.stderr : process.stdout).write(`${line}\n`),
    record: (object) => void (json && process.stdout.write(`${JSON.stringify(object)}\n`)),
  };
}

async function main(argv: readonly string[]): Promise<ExitStatus> {
  const [name, ...rest] = argv;
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    process.stdout.write(`${overview()}\n`);
    return 0;
  }
  if (name === '--version') {
    process.stdout.write(`${version()}\n`);
    return 0;
  }
  const command = COMMANDS.find((candidate) => candidate.name === name);
  if (!command) throw new CannotRun(`there is no command '${name}'; belfry --help lists them`);
  const args = parseArguments(command, rest);
  if (args.flag('help')) {
    process.stdout.write(`${helpText(command)}\n`);
    return 0;
  }
  return command.run(args, createIo(args.flag('json')));
}

/** Whoever read our output has left, as `head` does: we end as any program that SIGPIPE ends, without a word. */
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(128 + constants.signals.SIGPIPE);
});

main(process.argv.slice(2)).then(
  (status) => {
    process.exitCode = status;
  },
  (error: unknown) => {
    // A bug shows its stack; what the user can mend is one line.
    console.error(error instanceof CannotRun ? `belfry: ${error.message}` : error);
    process.exitCode = 2;
  },
);
