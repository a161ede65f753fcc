/** A TFTP server of the test's own, packet by packet, that does what it is told wrong; and a link that loses, doubles and delays. */
import { concat, fromLatin1, latin1, u16 } from '../../hal/base/bytes.js';

export interface TftpServerLike {
  content: Uint8Array;
  /** Options that it understands; all are granted as asked but for a smaller block. */
  options?: { blksize?: number; tsize?: boolean; timeout?: boolean };
  /** It answers each acknowledgement, also a repeated one, with a block (the bug of RFC 1123 part 4.2.3.1). */
  apprentice?: boolean;
}

export const packet = (opcode: number, ...words: (number | string | Uint8Array)[]): Uint8Array =>
  concat(
    Uint8Array.of(0, opcode),
    ...words.map((word) =>
      typeof word === 'number' ? Uint8Array.of(word >> 8, word & 0xff) : typeof word === 'string' ? fromLatin1(`${word}\0`) : word,
    ),
  );

/** A packet for people: `READ a.conf blksize=1428`, `ACK 3`, `DATA 1 (512)`, `ERROR 5 no such transfer`. */
export function told(bytes: Uint8Array): string {
  const texts = latin1(bytes, 2).split('\0');
  switch (u16(bytes, 0)) {
    case 1: {
      const [file, mode, ...rest] = texts;
      const options = rest.slice(0, -1).map((text, i) => (i % 2 === 0 ? ` ${text}=` : text));
      return `READ ${file}${mode === 'octet' ? '' : ` ${mode}`}${options.join('')}`;
    }
    case 3:
      return `DATA ${u16(bytes, 2)} (${bytes.length - 4})`;
    case 4:
      return `ACK ${u16(bytes, 2)}`;
    case 5:
      return `ERROR ${u16(bytes, 2)} ${latin1(bytes, 4).split('\0')[0]}`;
    default:
      return `OPCODE ${u16(bytes, 0)}`;
  }
}

/** One transfer. `receive` gives what is sent at once; `repeat` what is sent when nothing came. */
export class TftpTransfer {
  #block = 0;
  #size = 512;
  over = false;

  constructor(
    readonly server: TftpServerLike,
    request: Uint8Array,
  ) {
    const texts = latin1(request, 2, request.length - 1).split('\0');
    const { options } = server;
    const agreed: string[] = [];
    for (let i = 2; options && i + 1 < texts.length; i += 2) {
      if (texts[i] === 'blksize' && options.blksize) agreed.push('blksize', String(Math.min(options.blksize, Number(texts[i + 1]))));
      if (texts[i] === 'tsize' && options.tsize) agreed.push('tsize', String(server.content.length));
      if (texts[i] === 'timeout' && options.timeout) agreed.push('timeout', texts[i + 1]!);
    }
    if (agreed.includes('blksize')) this.#size = Number(agreed[agreed.indexOf('blksize') + 1]);
    this.#oack = agreed.length > 0 ? packet(6, ...agreed) : undefined;
    if (!this.#oack) this.#block = 1;
  }
  readonly #oack: Uint8Array | undefined;

  repeat(): Uint8Array {
    const from = (this.#block - 1) * this.#size;
    return this.#block === 0 && this.#oack
      ? this.#oack
      : packet(3, this.#block & 0xffff, this.server.content.subarray(from, from + this.#size));
  }

  receive(bytes: Uint8Array): Uint8Array | undefined {
    if (u16(bytes, 0) === 5) this.over = true;
    if (u16(bytes, 0) !== 4 || this.over) return undefined;
    const block = u16(bytes, 2);
    if (block !== (this.#block & 0xffff))
      return this.server.apprentice && block === ((this.#block - 1) & 0xffff) ? this.repeat() : undefined;
    if (this.#block > 0 && this.repeat().length - 4 < this.#size) {
      this.over = true;
      return undefined;
    }
    this.#block++;
    return this.repeat();
  }
}
