/** Asks time servers over UDP, one question at a time, each from a port of its own. */
import { SECOND } from '../../hal/base/time.js';
import type { Timer } from '../../hal/base/timers.js';
import type { Cancel, Entropy, HalErrorKind, IpAddress, Net } from '../../hal/hal.js';
import { addressOctets } from '../certs/address.js';
import type { Kernel } from '../kernel/kernel.js';
import { SNTP_PORT } from './sntp.codec.js';
import { SntpQuestion } from './sntp.engine.js';
import type { TimeAnswer } from './time-answer.js';

export interface SntpClientOptions {
  kernel: Kernel;
  net: Pick<Net, 'udp' | 'resolve'>;
  entropy: Entropy;
  /** Names or addresses, best first: of the settings, else of the lease. Read anew for each question. */
  servers(): readonly string[];
}

/** Ours: a reply from the other side of the world takes 0.3 s. */
const REPLY_TIMEOUT = 2 * SECOND;

const MEND = 'let the device reach it at UDP port 123, or name another: DHCP option 42, net.time1';

export class SntpClient {
  readonly #options: SntpClientOptions;
  /** Servers that forbade all further questions (RFC 4330 part 8); at most as many as were ever configured. */
  readonly #forbidden = new Set<string>();
  #turn = 0;

  constructor(options: SntpClientOptions) {
    this.#options = options;
  }

  /** Whether there is one that may be asked. */
  hasServer(): boolean {
    return this.#allowed().length > 0;
  }

  /** Asks the next server in turn. `done` is called once, in a later turn; never after a cancel. */
  ask(done: (answer: TimeAnswer) => void): Cancel {
    const servers = this.#allowed();
    const server = servers[this.#turn++ % Math.max(1, servers.length)];
    const inquiry = new Inquiry(this.#options, server ?? '', (answer, forbidden) => {
      if (forbidden && server !== undefined) this.#forbidden.add(server);
      done(answer);
    });
    return () => inquiry.cancel();
  }

  #allowed(): readonly string[] {
    return this.#options.servers().filter((server) => !this.#forbidden.has(server));
  }
}

/** From looking up the server's name to its answer, or until the wait is over. */
class Inquiry {
  readonly #options: SntpClientOptions;
  readonly #server: string;
  readonly #done: (answer: TimeAnswer, forbidden: boolean) => void;
  readonly #timer: Timer;
  #release: Cancel = () => {};

  constructor(options: SntpClientOptions, server: string, done: (answer: TimeAnswer, forbidden: boolean) => void) {
    this.#options = options;
    this.#server = server;
    this.#done = done;
    this.#timer = options.kernel.timer('sntp reply', () => this.#silent('timeout', `time server ${server} does not answer`));
    this.#timer.set(options.kernel.now() + REPLY_TIMEOUT);
    if (addressOctets(server)) this.#send(server);
    else {
      this.#release = options.net.resolve(server, 'A', (records) => {
        const address = records.ok ? records.value[0] : undefined;
        if (address !== undefined) this.#send(address);
        else this.#silent(records.ok ? 'not-found' : records.error.kind, `time server ${server} cannot be looked up`);
      });
    }
  }

  cancel(): void {
    this.#timer.clear();
    this.#release();
  }

  /** A socket that cannot be had is silence too: the timer ends the wait. */
  #send(address: IpAddress): void {
    const { kernel, net, entropy } = this.#options;
    const opened = net.udp({ port: 0 });
    if (!opened.ok) return;
    const socket = opened.value;
    const question = new SntpQuestion(entropy, kernel.now());
    this.#release = () => socket.close();
    socket.onDatagram((datagram, from) => {
      if (from.address === address && from.port === SNTP_PORT) this.#read(question, datagram);
    });
    socket.send({ address, port: SNTP_PORT }, question.request);
  }

  #read(question: SntpQuestion, datagram: Uint8Array): void {
    const outcome = question.read(datagram, this.#options.kernel.now());
    const server = `time server ${this.#server}`;
    if (outcome.type === 'time') this.#finish({ type: 'time.answer', source: 'sntp', server: this.#server, at: outcome.at });
    else if (outcome.type === 'useless') this.#silent('refused', `${server}: ${outcome.why}`);
    else if (outcome.type === 'kiss') this.#silent('refused', `${server} asks to be left alone (${outcome.code})`, true, outcome.never);
  }

  #silent(kind: HalErrorKind, detail: string, patient = false, forbidden = false): void {
    this.#finish({ type: 'time.silence', source: 'sntp', kind, detail, mend: MEND, patient }, forbidden);
  }

  #finish(answer: TimeAnswer, forbidden = false): void {
    this.cancel();
    this.#done(answer, forbidden);
  }
}
