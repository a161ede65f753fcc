/** The lab of real peers: Kamailio as registrar, nginx as provisioning server, baresip and SIPp as callers, libsrtp2 as judge of media. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { absent, type Ended, Jail } from './jail.js';
import { describeShared, sharedPath } from './shared.js';

/** A `describe` with the lab: skips with its reason where the lab or its programs are absent, fails where they are required. */
export function describeLab(title: string, body: () => void): void {
  const reason = absent('kamailio', 'nginx', 'baresip', 'sipp', 'tshark', 'cc');
  describeShared('lab', 'lab', title, body, reason);
}

/** One lab in a network namespace of its own, with its state, keys and logs in a temporary folder. */
export class Lab {
  readonly jail = new Jail('lab');
  /** Where the lab keeps its state; tests put their files there too. */
  readonly run = mkdtempSync(`${tmpdir()}/belfry-lab-`);

  /** A script of the lab to its end, whatever that is. */
  attempt(script: string, ...args: string[]): Promise<Ended> {
    return this.jail.run(sharedPath(`lab/${script}`), args, { env: { RUN: this.run } });
  }

  /** A script of the lab; its output. Throws when it fails. */
  async script(script: string, ...args: string[]): Promise<string> {
    const { status, text } = await this.attempt(script, ...args);
    if (status !== 0) throw new Error(`${script} ${args.join(' ')} ended ${status}:\n${text}`);
    return text;
  }

  /** What the lab's judge says of a recording: `ok …` when the tone is really in it, without gaps, for at least that long. */
  async listen(wav: string, hertz: number, seconds: number): Promise<string> {
    const { text } = await this.jail.run(process.execPath, [sharedPath('lab/wav.mjs'), 'check', wav, String(hertz), String(seconds)]);
    return text;
  }

  /** A server's or an agent's log so far: `kamailio`, `nginx`, `ua-B`. */
  log(name: string): string {
    return readFileSync(`${this.run}/${name}.log`, 'latin1');
  }

  pki(name: string): string {
    return `${this.run}/pki/${name}`;
  }

  async close(): Promise<void> {
    await this.script('lab', 'down');
    this.jail.close();
    rmSync(this.run, { recursive: true });
  }
}
