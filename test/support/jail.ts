/**
 * A network namespace with nothing but its own loopback, for programs that Belfry did not write: nothing they send leaves this machine,
 * and the ports they are used to are free, whatever else runs here. Needs root and iproute2.
 */
import { type ChildProcess, execFile, execFileSync, spawn } from 'node:child_process';

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
}

export interface Ended {
  status: number;
  /** Standard output and standard error, as they came. */
  text: string;
}

export class Jail {
  readonly #name: string;

  constructor(purpose: string) {
    this.#name = `${purpose}${process.pid}`;
    execFileSync('ip', ['netns', 'add', this.#name]);
    execFileSync('ip', ['-n', this.#name, 'link', 'set', 'lo', 'up']);
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
  spawn(program: string, args: readonly string[], { env, cwd }: Surroundings = {}): ChildProcess {
    return spawn('ip', this.#inside(program, args), { env: { ...process.env, ...env }, cwd, stdio: ['ignore', 'pipe', 'pipe'] });
  }

  /** Programs that still run keep the namespace alive until they end. */
  close(): void {
    execFileSync('ip', ['netns', 'del', this.#name]);
  }

  /** `ip` becomes the program (exec), so that signals to the child reach it. */
  #inside(program: string, args: readonly string[]): string[] {
    return ['netns', 'exec', this.#name, program, ...args];
  }
}

const LONGEST_OUTPUT = 64 * 2 ** 20;
