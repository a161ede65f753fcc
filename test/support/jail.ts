/**
 * A network namespace with nothing but its own loopback, for programs that Belfry did not write: nothing they send leaves this machine,
 * and the ports they are used to are free, whatever else runs here. Needs root and iproute2.
 */
import { type ChildProcess, execFile, execFileSync, type StdioOptions, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';

/** Why tests with these programs cannot run here; undefined when they can. */
export function absent(...programs: string[]): string | undefined {
  if (process.getuid?.() !== 0) return 'network namespaces need root';
  const missing = ['ip', ...programs].filter((program) => !found(program));
  return missing.length > 0 ? `not installed: ${missing.join(', ')}` : undefined;
}

function found(program: string): boolean {
  try {
    execFileSync('sh', ['-c', `command -v ${program}`], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** What a program is given beside its arguments. */
export interface Surroundings {
  env?: Readonly<Record<string, string>>;
  cwd?: string;
  /** Of a program that is started: pipes for its output unless told otherwise. */
  stdio?: StdioOptions;
}

export interface Ended {
  status: number;
  /** Standard output and standard error, as they came. */
  text: string;
}

export class Jail {
  /** Of the namespace: the purpose and the number of this process. */
  readonly name: string;

  constructor(purpose: string) {
    sweep(purpose);
    this.name = `${purpose}${process.pid}`;
    ip('netns', 'add', this.name);
    ip('-n', this.name, 'link', 'set', 'lo', 'up');
  }

  /** Runs a program to its end. */
  run(program: string, args: readonly string[], { env, cwd }: Surroundings = {}): Promise<Ended> {
    const options = { env: { ...process.env, ...env }, cwd, maxBuffer: LONGEST_OUTPUT };
    return new Promise((resolve) => {
      execFile('ip', this.#inside(program, args), options, (error, out, err) => {
        const status = error === null ? 0 : typeof error.code === 'number' ? error.code : 1;
        resolve({ status, text: `${out}${err}` });
      });
    });
  }

  /** Starts a program, its output in pipes. */
  spawn(program: string, args: readonly string[], { env, cwd, stdio }: Surroundings = {}): ChildProcess {
    const options = { env: { ...process.env, ...env }, cwd, stdio: stdio ?? ['ignore', 'pipe', 'pipe'] };
    return spawn('ip', this.#inside(program, args), options);
  }

  /** Ends what still runs in it. */
  close(): void {
    remove(this.name);
  }

  /** `ip` becomes the program (exec), so that signals to the child reach it. */
  #inside(program: string, args: readonly string[]): string[] {
    return ['netns', 'exec', this.name, program, ...args];
  }
}

/** Removes what a run left behind that was killed: the process that a namespace is named after is no more. */
function sweep(purpose: string): void {
  for (const [, name, pid] of ip('netns', 'list').matchAll(new RegExp(`^(${purpose}(\\d+))\\b`, 'gm')))
    if (name !== undefined && !existsSync(`/proc/${pid}`)) remove(name);
}

/** A server's children may outlive a server that was killed, and keep the namespace alive. */
function remove(name: string): void {
  for (const pid of ip('netns', 'pids', name).split('\n').filter(Boolean)) {
    try {
      process.kill(Number(pid), 'SIGKILL');
    } catch {
      // It has ended by itself.
    }
  }
  ip('netns', 'del', name);
}

function ip(...args: string[]): string {
  return execFileSync('ip', args, { encoding: 'utf8' });
}

const LONGEST_OUTPUT = 64 * 2 ** 20;
