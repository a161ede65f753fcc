/** Cuts a stream of clear text into SIP and HTTP messages, for people to read. Never judges them: what it cannot follow it shows as it came. */
import { latin1 } from '../../hal/base/bytes.js';

/** Octets of one message that are kept; a longer one is shown in pieces. */
const LIMIT = 65_536;

/** One direction of one connection. */
export class MessageCutter {
  #text = '';

  /** Whole messages that end in these octets, one character an octet. */
  push(bytes: Uint8Array): string[] {
    this.#text += latin1(bytes);
    const messages: string[] = [];
    for (let length = this.#next(); length > 0; length = this.#next()) {
      messages.push(this.#text.slice(0, length));
      this.#text = this.#text.slice(length);
    }
    return messages;
  }

  /** Length of the message at the front, 0 while it is not whole. Line ends before it are keepalives and drop out (RFC 5626 3.5.1). */
  #next(): number {
    this.#text = this.#text.replace(/^[\r\n]+/, '');
    const head = this.#text.indexOf('\r\n\r\n');
    const length = head < 0 ? Number.POSITIVE_INFINITY : head + 4 + this.#body(this.#text.slice(0, head + 4), head + 4);
    if (length <= this.#text.length) return length;
    return this.#text.length >= LIMIT ? this.#text.length : 0;
  }

  #body(head: string, from: number): number {
    if (/^transfer-encoding:\s*chunked/im.test(head)) {
      const end = /(?:^|\r\n)0\r\n\r\n/.exec(this.#text.slice(from));
      return end ? end.index + end[0].length : Number.POSITIVE_INFINITY;
    }
    return Number(/^(?:content-length|l)\s*:\s*(\d{1,9})\s*$/im.exec(head)?.[1] ?? 0);
  }
}

export interface MessageSummary {
  protocol: 'SIP' | 'HTTP' | 'DATA';
  /** `INVITE sip:101@…`, `200 OK (INVITE)`, `GET /algop8301.conf`. */
  label: string;
  /** A refusal. */
  bad: boolean;
}

/** What a message is, from its first line. */
export function summary(message: string): MessageSummary {
  const first = message.slice(0, Math.max(0, message.indexOf('\r\n')));
  const request = /^([A-Z]+) (\S+) (SIP\/2\.0|HTTP\/1\.[01])$/.exec(first);
  if (request) {
    const sip = request[3] === 'SIP/2.0';
    return { protocol: sip ? 'SIP' : 'HTTP', label: `${request[1]} ${request[2]}${media(message)}`, bad: false };
  }
  const response = /^(SIP\/2\.0|HTTP\/1\.[01]) (\d{3}) ?(.*)$/.exec(first);
  if (!response) return { protocol: 'DATA', label: `${message.length} octets`, bad: false };
  const sip = response[1] === 'SIP/2.0';
  const method = sip ? (/^cseq\s*:\s*\d+\s+(\w+)/im.exec(message)?.[1] ?? '') : '';
  const status = Number(response[2]);
  const bad = status >= 400 && !isChallenge(status) && !(status === 404 && !sip);
  const label = `${status} ${response[3]}${method === '' ? '' : ` (${method})`}${media(message)}`;
  return { protocol: sip ? 'SIP' : 'HTTP', label, bad };
}

/** 401 and 407 ask for credentials; that is no refusal yet. */
const isChallenge = (status: number): boolean => status === 401 || status === 407;

/** What the SDP of a message offers or answers. */
function media(message: string): string {
  const profile = /^m=audio \d+ (\S+)/m.exec(message)?.[1];
  return profile === undefined ? '' : ` + SDP ${profile}${/^a=crypto:/m.test(message) ? ' with keys' : ''}`;
}
