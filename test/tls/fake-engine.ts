/** A TLS engine whose handshake a test plays by hand, and the network below it. */
import type {
  ByteStream,
  HalError,
  SocketAddress,
  StreamEvent,
  TlsClientOptions,
  TlsEngine,
  TlsServerOptions,
  TlsStream,
  TlsVersion,
  Verdict,
} from '../../hal/hal.js';

export const HERE: SocketAddress = { address: '192.0.2.10', port: 50000 };
export const THERE: SocketAddress = { address: '192.0.2.20', port: 5061 };

export class FakeStream implements TlsStream {
  secured?: NonNullable<TlsStream['secured']>;
  aborted = false;
  written: Uint8Array[] = [];
  #listener: ((event: StreamEvent) => void) | undefined;

  onEvent(listener: (event: StreamEvent) => void): void {
    this.#listener = listener;
  }
  write(bytes: Uint8Array): number {
    this.written.push(bytes);
    return bytes.length;
  }
  pause(): void {}
  resume(): void {}
  end(): void {}
  abort(): void {
    this.aborted = true;
  }
  emit(event: StreamEvent): void {
    this.#listener?.(event);
  }
  open(version: TlsVersion = '1.2', resumed = false): void {
    this.secured = { version, suite: 'TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256', resumed };
    this.emit({ type: 'open', local: HERE, peer: THERE, at: 0 });
  }
  close(error?: HalError): void {
    this.emit({ type: 'closed', ...(error ? { error } : {}), at: 0 });
  }
}

export class FakeEngine implements TlsEngine {
  versions: readonly TlsVersion[] = ['1.0', '1.1', '1.2', '1.3'];
  readonly made: { stream: FakeStream; under: ByteStream; options: TlsClientOptions | TlsServerOptions }[] = [];

  client(under: ByteStream, options: TlsClientOptions): FakeStream {
    return this.#make(under, options);
  }
  server(under: ByteStream, options: TlsServerOptions): FakeStream {
    under.onEvent(() => {});
    return this.#make(under, options);
  }

  get last() {
    return this.made.at(-1)!;
  }

  /** The peer shows its chain; the verdict is what the core says. */
  shows(chain: readonly Uint8Array[]): Verdict {
    const { options } = this.last;
    return options.verify!({ chain }, 0);
  }

  #make(under: ByteStream, options: TlsClientOptions | TlsServerOptions): FakeStream {
    const stream = new FakeStream();
    this.made.push({ stream, under, options });
    return stream;
  }
}
