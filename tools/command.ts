/** What a command of `belfry` is: a name, a help that teaches, options, and a run that answers with an exit status. */
import { type ParseArgsConfig, parseArgs } from 'node:util';

/** 0 done, 1 the thing under test failed, 2 the command could not be run. */
export type ExitStatus = 0 | 1 | 2;

export interface Option {
  type: 'string' | 'boolean';
  /** What the value is, as shown in the help: `DIR`, `FILE`, `IP`. */
  value?: string;
  help: string;
  multiple?: boolean;
}

export interface Command {
  name: string;
  summary: string;
  /** Arguments after the name, as shown in the help. */
  usage: string;
  /** Copyable lines, each with what it does. */
  examples: readonly (readonly [line: string, what: string])[];
  options: Readonly<Record<string, Option>>;
  run(args: Arguments, io: Io): Promise<ExitStatus>;
}

export interface Arguments {
  positionals: readonly string[];
  text(name: string): string | undefined;
  all(name: string): readonly string[];
  flag(name: string): boolean;
}

/** Standard output is the command's answer; everything said on the way goes to standard error when that answer is JSON. */
export interface Io {
  json: boolean;
  say(line: string): void;
  /** One object a line on standard output, with `--json` only. */
  record(object: object): void;
}

/** The command could not be run: one line with the place and the mend, exit status 2. */
export class CannotRun extends Error {}

const COMMON: Record<string, Option> = {
  help: { type: 'boolean', help: 'this text' },
  json: { type: 'boolean', help: 'one JSON object a line on standard output, everything else on standard error' },
};

export function parseArguments(command: Command, argv: readonly string[]): Arguments {
  const options: ParseArgsConfig['options'] = {};
  for (const [name, { type, multiple }] of Object.entries({ ...COMMON, ...command.options }))
    options[name] = { type, multiple: multiple ?? false };
  try {
    const { values, positionals } = parseArgs({ args: [...argv], options, allowPositionals: true, strict: true });
    const get = (name: string): unknown => values[name];
    return {
      positionals,
      text: (name) => get(name) as string | undefined,
      all: (name) => (get(name) as string[] | undefined) ?? [],
      flag: (name) => get(name) === true,
    };
  } catch (error) {
    const reason = (error as Error).message.split('. ')[0]!.replace(/\n.*/s, '');
    throw new CannotRun(`${command.name}: ${reason}; see belfry ${command.name} --help`);
  }
}

export function helpText(command: Command): string {
  const options = Object.entries({ ...command.options, ...COMMON }).map(
    ([name, { value, help }]) => [`  --${name}${value ? ` ${value}` : ''}`, help] as const,
  );
  const width = Math.max(...options.map(([left]) => left.length)) + 2;
  return [
    `belfry ${command.name}: ${command.summary}`,
    '',
    `usage: belfry ${command.name} ${command.usage}`.trimEnd(),
    '',
    ...options.map(([left, help]) => left.padEnd(width) + help),
    ...(command.examples.length > 0 ? ['', 'examples:'] : []),
    ...command.examples.map(([line, what]) => `  ${line}\n      ${what}`),
  ].join('\n');
}
