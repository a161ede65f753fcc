/** TFTP packets (RFC 1350), with option extension (RFC 2347). Text is octet text: one character an octet. */
import { concat, EMPTY, fromLatin1, latin1, putU16, u16 } from '../../hal/base/bytes.js';

export type TftpOptions = ReadonlyMap<string, string>;

export type TftpPacket =
  | { type: 'read'; file: string; options: TftpOptions }
  | { type: 'data'; block: number; data: Uint8Array }
  | { type: 'ack'; block: number }
  | { type: 'error'; code: number; message: string }
  /** OACK: the options that the server takes, names in lower case. */
  | { type: 'options'; options: TftpOptions };

/** RFC 1350 part 5 and RFC 2347. */
const OPCODE = { read: 1, data: 3, ack: 4, error: 5, options: 6 } as const;
/** RFC 1350 appendix, RFC 2347. */
export const TFTP_ERROR = { notFound: 1, accessViolation: 2, full: 3, illegal: 4, unknownTransfer: 5, options: 8 } as const;

/** Ours: of the three that we know a server answers no more than it was asked for. */
const MAX_OPTIONS = 16;

/** Undefined for what is no TFTP packet, or one that only a server gets. `data` lies in the octets given. */
export function decodeTftp(bytes: Uint8Array): TftpPacket | undefined {
  if (bytes.length < 4) return undefined;
  switch (u16(bytes, 0)) {
    case OPCODE.data:
      return { type: 'data', block: u16(bytes, 2), data: bytes.subarray(4) };
    case OPCODE.ack:
      return { type: 'ack', block: u16(bytes, 2) };
    case OPCODE.error: {
      // Servers leave out the zero at the end.
      const [message = ''] = latin1(bytes, 4).split('\0', 1);
      return { type: 'error', code: u16(bytes, 2), message };
    }
    case OPCODE.options: {
      const options = decodeOptions(latin1(bytes, 2));
      return options && { type: 'options', options };
    }
    default:
      return undefined;
  }
}

/** Pairs of name and value, each with a zero at its end; a name that comes twice spoils it. */
function decodeOptions(text: string): TftpOptions | undefined {
  const texts = text.split('\0', 2 * MAX_OPTIONS + 1);
  if (texts.pop() !== '' || texts.length % 2 !== 0) return undefined;
  const options = new Map<string, string>();
  for (let i = 0; i < texts.length; i += 2) {
    const name = texts[i]!.toLowerCase();
    if (name === '' || options.has(name)) return undefined;
    options.set(name, texts[i + 1]!);
  }
  return options;
}

/** File names, options and messages hold no zero: they are checked before, or constants. */
export function encodeTftp(packet: TftpPacket): Uint8Array {
  switch (packet.type) {
    case 'read':
      return concat(header(OPCODE.read), texts(packet.file, 'octet', ...pairs(packet.options)));
    case 'data':
      return concat(header(OPCODE.data, packet.block), packet.data);
    case 'ack':
      return header(OPCODE.ack, packet.block);
    case 'error':
      return concat(header(OPCODE.error, packet.code), texts(packet.message));
    case 'options':
      return concat(header(OPCODE.options), texts(...pairs(packet.options)));
  }
}

function header(...words: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(2 * words.length);
  for (const [i, word] of words.entries()) putU16(bytes, 2 * i, word);
  return bytes;
}

const pairs = (options: TftpOptions): readonly string[] => [...options].flat();
const texts = (...all: readonly string[]): Uint8Array => (all.length === 0 ? EMPTY : fromLatin1(`${all.join('\0')}\0`));
