/** Files over TFTP: a port and a transfer for each. There is no login, and nothing that tells a new file from an old one but its content. */
import { err, ok } from '../../hal/base/result.js';
import { SECOND } from '../../hal/base/time.js';
import type { Timer } from '../../hal/base/timers.js';
import type { Cancel, HalError, Micros, Result, SocketAddress, UdpSocket } from '../../hal/hal.js';
import { formatUrl, inFolder, octetPath } from '../http/url.js';
import { downloadFailure, type ProvisioningFailure, transferFailure } from './failure.js';
import {
  type Fetched,
  type FetchOptions,
  type FetchPorts,
  type FileSource,
  MAX_FILE,
  Pace,
  resolveHost,
  type Validators,
} from './fetch.js';
import { TftpReader, type TftpStep } from './tftp.engine.js';

/** Ours: a file of the largest size through a network that loses every tenth packet. */
const TOTAL: Micros = 90 * SECOND;
/** Ours: the server repeats its last block as often as that, should our last acknowledgement be lost (RFC 1350 part 6). */
const DALLY: Micros = 3 * SECOND;
/** RFC 2347: a request has at most 512 octets, and the options take their share. */
const MAX_NAME = 400;

type Done = (result: Result<Fetched, ProvisioningFailure>) => void;

export class TftpSource implements FileSource {
  readonly #ports: FetchPorts;
  readonly #options: FetchOptions;
  readonly #pace: Pace;
  #resolving: Cancel = () => {};
  #transfer: Transfer | undefined;

  constructor(ports: FetchPorts, options: FetchOptions) {
    this.#ports = ports;
    this.#options = options;
    this.#pace = new Pace(ports.kernel, options.pause);
  }

  fetch(name: string, _known: Validators, done: Done): void {
    const { folder, attempt } = this.#options;
    const url = inFolder(folder, name);
    const file = octetPath(url).slice(1);
    this.#pace.next(() => {
      this.#resolving = resolveHost(this.#ports.net, url.host, attempt, (address) => {
        if (!address.ok) return done(address);
        const request = { name, file, url: formatUrl(url), server: { address: address.value, port: url.port } };
        this.#transfer = new Transfer(this.#ports, request, done);
      });
    });
  }

  close(): void {
    this.#pace.stop();
    this.#resolving();
    this.#transfer?.cancel();
  }
}

interface TransferRequest {
  name: string;
  /** As the request has it: octet text. */
  file: string;
  url: string;
  server: SocketAddress;
}

class Transfer {
  readonly #reader: TftpReader;
  readonly #wait: Timer;
  readonly #total: Timer;
  #socket: UdpSocket | undefined;
  #state: 'running' | 'dallying' | 'over' = 'running';

  constructor(
    readonly ports: FetchPorts,
    readonly request: TransferRequest,
    readonly done: Done,
  ) {
    const { kernel } = ports;
    this.#reader = new TftpReader(request.file, MAX_FILE);
    this.#wait = kernel.timer('tftp', (at) => this.#elapsed(at));
    this.#total = kernel.timer('tftp total', () => this.#fail({ kind: 'timeout', detail: 'the transfer takes too long' }));
    this.#total.set(kernel.now() + TOTAL);
    // The first packet goes in a turn of its own, so that no failure is answered during the call.
    this.#wait.set(kernel.now());
  }

  /** Nothing is answered after it. What has ended in order goes on dallying. */
  cancel(): void {
    if (this.#state === 'running') this.#close();
  }

  #begin(now: Micros): void {
    const { file, name } = this.request;
    if (file.length > MAX_NAME || file.includes('\0')) {
      return this.#end(err(downloadFailure('unsupported', `${name}: TFTP has no such path`, 'name a shorter folder, without %00')));
    }
    const opened = this.ports.net.udp({ port: 0 });
    if (!opened.ok) return this.#fail(opened.error);
    this.#socket = opened.value;
    this.#socket.onDatagram((bytes, from, at) => {
      if (from.address === this.request.server.address) this.#act(this.#reader.receive(bytes, from.port, at), from.port, at);
    });
    const sent = this.#socket.send(this.request.server, this.#reader.start(now));
    if (sent !== 'sent') return this.#fail({ kind: sent, detail: `nothing can be sent to ${this.request.server.address}` });
    this.#wait.set(this.#reader.due);
  }

  #elapsed(now: Micros): void {
    if (this.#state === 'dallying') this.#close();
    else if (this.#socket) this.#act(this.#reader.elapsed(now), this.request.server.port, now);
    else this.#begin(now);
  }

  /** `port`: where the datagram came from. */
  #act(step: TftpStep, port: number, now: Micros): void {
    const { name, url, server } = this.request;
    const to = step.type === 'stranger' ? port : (this.#reader.port ?? server.port);
    if ('send' in step && step.send) this.#socket?.send({ ...server, port: to }, step.send);
    switch (step.type) {
      case 'stranger':
        break;
      case 'wait':
        if (this.#state === 'running') this.#wait.set(this.#reader.due);
        break;
      case 'file':
        this.#state = 'dallying';
        this.#total.clear();
        this.#wait.set(now + DALLY);
        this.done(ok({ type: 'file', url, bytes: step.bytes, tags: {} }));
        break;
      case 'absent':
        this.#end(ok({ type: 'absent' }));
        break;
      case 'refused':
        this.#end(err(refusal(name, step)));
        break;
      case 'failed':
        this.#fail(step.error);
        break;
    }
  }

  #fail(error: HalError): void {
    this.#end(err(transferFailure(this.request.name, error)));
  }

  #end(result: Parameters<Done>[0]): void {
    this.#close();
    this.done(result);
  }

  #close(): void {
    this.#state = 'over';
    this.#wait.clear();
    this.#total.clear();
    this.#socket?.close();
  }
}

const refusal = (name: string, { code, words }: Extract<TftpStep, { type: 'refused' }>): ProvisioningFailure =>
  downloadFailure(
    'refused',
    `${name}: the server answers with error ${code}${words === '' ? '' : `, "${words}"`}`,
    'check that the server may read the file and hands it to all, and look into its log',
  );
