import { describe, expect, it } from 'vitest';
import { fromHex, fromLatin1, hex, latin1 } from '../../hal/base/bytes.js';
import { foldChecksum, internetChecksum, wordSum } from '../../hal/stack/checksum.js';
import { encodeName, readName } from '../../hal/stack/dns-name.codec.js';
import {
  addressOption,
  type DhcpMessage,
  DhcpOption,
  type DnsMessage,
  DnsType,
  decodeArp,
  decodeDhcp,
  decodeDns,
  decodeEthernet,
  decodeIcmp,
  decodeIpv4,
  decodeTcp,
  decodeUdp,
  encodeArp,
  encodeDhcp,
  encodeDns,
  ipv4Text,
  macText,
  multicastMac,
  netmask,
  optionAddresses,
  optionSeconds,
  optionText,
  parseIpv4,
  parseMac,
  prefixOf,
  secondsOption,
  writeIpv4,
  writeUdp,
} from '../../hal/stack/index.js';
import { ipv6Text, parseIpv6 } from '../../hal/stack/ipv6-text.js';

const octets = (text: string): Uint8Array => fromHex(text.replace(/\s/g, ''))!;

describe('addresses', () => {
  it('reads dotted quads and nothing else', () => {
    expect(parseIpv4('192.0.2.1')).toBe(0xc0000201);
    expect(ipv4Text(0xffffffff)).toBe('255.255.255.255');
    for (const bad of ['', '1.2.3', '1.2.3.4.5', '1.2.3.256', '01.2.3.4', ' 1.2.3.4', '1.2.3.4 ', '0x1.2.3.4', '1e1.2.3.4', '::1']) {
      expect(parseIpv4(bad), bad).toBeUndefined();
    }
  });

  it('reads MACs, masks and groups', () => {
    expect(macText(parseMac('0022ee0a0001')!)).toBe('0022EE0A0001');
    expect(parseMac('00:22:EE:0A:00:01')).toBeUndefined();
    expect([0, 8, 24, 32].map((prefix) => ipv4Text(netmask(prefix)))).toEqual(['0.0.0.0', '255.0.0.0', '255.255.255.0', '255.255.255.255']);
    expect([0, 1, 24, 31, 32].map((prefix) => prefixOf(netmask(prefix)))).toEqual([0, 1, 24, 31, 32]);
    expect(prefixOf(parseIpv4('255.0.255.0')!)).toBeUndefined();
    // RFC 1112 part 6.4: 23 bits, so that 224.128.0.1 and 224.0.0.1 share a MAC.
    expect(macText(multicastMac(parseIpv4('224.0.1.75')!))).toBe('01005E00014B');
    expect(multicastMac(parseIpv4('224.128.0.1')!)).toBe(multicastMac(parseIpv4('224.0.0.1')!));
  });

  it('writes IPv6 as RFC 5952 asks, and reads what it may be written as', () => {
    const pairs: [string, string][] = [
      ['2001:0DB8:0:0:0:0:0:1', '2001:db8::1'],
      ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
      ['2001:0:0:1:0:0:0:1', '2001:0:0:1::1'],
      ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
      ['::', '::'],
      ['::1', '::1'],
      ['1::', '1::'],
      ['::ffff:192.0.2.1', '::ffff:192.0.2.1'],
    ];
    for (const [text, canonical] of pairs) expect(ipv6Text(parseIpv6(text)!), text).toBe(canonical);
    for (const bad of ['', ':', ':::', '1:2:3:4:5:6:7', '1:2:3:4:5:6:7:8:9', '12345::', '1::2::3', 'g::', '1.2.3.4', '1.2.3.4::']) {
      expect(parseIpv6(bad), bad).toBeUndefined();
    }
  });
});

describe('the Internet checksum', () => {
  it('adds as in the example of RFC 1071 part 3', () => {
    const bytes = octets('0001 f203 f4f5 f6f7');
    expect(wordSum(bytes, 0, 8)).toBe(0x2ddf0);
    expect(foldChecksum(wordSum(bytes, 0, 8))).toBe(~0xddf2 & 0xffff);
  });

  it('pads an odd octet, and gives zero over what holds a right one', () => {
    expect(wordSum(octets('0001 f2'), 0, 3)).toBe(0xf201);
    // The IPv4 header whose checksum, b861, is worked out in many textbooks.
    expect(internetChecksum(octets('4500 0073 0000 4000 4011 b861 c0a8 0001 c0a8 00c7'))).toBe(0);
  });
});

describe('frames from other stacks', () => {
  it('an ARP request', () => {
    const bytes = octets('ffffffffffff 525400123502 0806 0001 0800 06 04 0001 525400123502 0a000202 000000000000 0a00020f');
    const frame = decodeEthernet(bytes)!;
    const packet = decodeArp(frame.payload)!;
    expect({ ...packet, sender: ipv4Text(packet.sender), target: ipv4Text(packet.target), senderMac: macText(packet.senderMac) }).toEqual({
      operation: 'request',
      senderMac: '525400123502',
      sender: '10.0.2.2',
      targetMac: 0,
      target: '10.0.2.15',
    });
    expect(hex(encodeArp(packet, frame.destination))).toBe(hex(bytes));
  });

  it('an IPv4 header is written as the textbook has it', () => {
    const bytes = new Uint8Array(20);
    writeIpv4(
      bytes,
      0,
      { source: parseIpv4('192.168.0.1')!, destination: parseIpv4('192.168.0.199')!, protocol: 17, ttl: 64, dscp: 0 },
      95,
    );
    expect(hex(bytes)).toBe('45000073000040004011b861c0a80001c0a800c7');
  });

  it('a SYN of Linux, with more options than the one that is read', () => {
    const frame = decodeEthernet(
      octets(`
        020000ab0102 3ec070acd302 0800 4500 003c 33d4 4000 40 06 f047 0a4f0101 0a4f0102
        9f38 22b8 7ff196cc 00000000 a002 faf0 c9af 0000 020405b4 0402 080a 9302010b 00000000 01 03030a`),
    )!;
    const packet = decodeIpv4(frame.payload);
    if (!packet.ok) throw new Error(packet.error);
    const { source, destination, payload } = packet.value;
    expect([source, destination].map(ipv4Text)).toEqual(['10.79.1.1', '10.79.1.2']);
    const header = { sourcePort: 40760, destinationPort: 8888, sequence: 0x7ff196cc, flags: 2, window: 64240, mss: 1460 };
    expect(decodeTcp(payload, source, destination)).toMatchObject({ ok: true, value: header });
  });

  it('a damaged header or payload is told from a malformed one', () => {
    const from = parseIpv4('192.0.2.1')!;
    const to = parseIpv4('192.0.2.2')!;
    const datagram = new Uint8Array(12);
    writeUdp(datagram, 0, { sourcePort: 5060, destinationPort: 5061, payload: fromLatin1('ping') }, from, to);
    expect(decodeUdp(datagram, from, to)).toMatchObject({ ok: true, value: { sourcePort: 5060, destinationPort: 5061 } });
    for (let i = 0; i < datagram.length; i++) {
      const damaged = datagram.slice();
      damaged[i]! ^= 0x10;
      expect(decodeUdp(damaged, from, to).ok, `octet ${i}`).toBe(false);
    }
    expect(decodeUdp(datagram.subarray(0, 7), from, to)).toEqual({ ok: false, error: 'malformed' });
    expect(decodeIpv4(octets('4500 0073 0000 4000 4011 b862 c0a8 0001 c0a8 00c7')).ok).toBe(false);
    expect(decodeIcmp(octets('0800 0000 0000 0000'))).toEqual({ ok: false, error: 'checksum' });
  });

  it('a UDP checksum that comes out as zero is written as ffff, and zero read as none', () => {
    const from = parseIpv4('0.0.0.0')!;
    const bytes = new Uint8Array(10);
    // Choose the payload so that the sum is ffff.
    writeUdp(bytes, 0, { sourcePort: 1, destinationPort: 2, payload: Uint8Array.of(0, 0) }, from, from);
    const checksum = (bytes[6]! << 8) | bytes[7]!;
    writeUdp(bytes, 0, { sourcePort: 1, destinationPort: 2, payload: Uint8Array.of(checksum >> 8, checksum & 255) }, from, from);
    expect(hex(bytes.subarray(6, 8))).toBe('ffff');
    expect(decodeUdp(bytes, from, from).ok).toBe(true);
    bytes.set([0, 0], 6);
    expect(decodeUdp(bytes, from, from).ok).toBe(true);
  });
});

describe('DHCP', () => {
  const message: DhcpMessage = {
    op: 'reply',
    type: 'ack',
    transaction: 0xdeadbeef,
    seconds: 3,
    broadcast: true,
    clientAddress: '0.0.0.0',
    yourAddress: '192.168.1.20',
    serverAddress: '192.168.1.1',
    relayAddress: '0.0.0.0',
    clientMac: '0022EE0A0001',
    options: new Map([
      [DhcpOption.subnetMask, addressOption('255.255.255.0')],
      [DhcpOption.dns, addressOption('192.168.1.1', '192.168.1.2')],
      [DhcpOption.leaseTime, secondsOption(86400)],
      [DhcpOption.tftpServer, fromLatin1('https://prov.example.test/')],
      [DhcpOption.vendorServer, fromLatin1('x'.repeat(600))],
    ]),
  };

  it('round trips, long options in parts (RFC 3396)', () => {
    const bytes = encodeDhcp(message);
    expect(bytes.length).toBeGreaterThanOrEqual(300);
    const read = decodeDhcp(bytes)!;
    expect(read).toEqual(message);
    expect(optionAddresses(read.options.get(DhcpOption.dns))).toEqual(['192.168.1.1', '192.168.1.2']);
    expect(optionSeconds(read.options.get(DhcpOption.leaseTime))).toBe(86400);
    expect(optionText(read.options.get(DhcpOption.tftpServer)!)).toBe('https://prov.example.test/');
    const request = encodeDhcp({ ...message, op: 'request', type: 'discover', options: new Map() });
    expect(request.length).toBe(300);
    expect(decodeDhcp(request)).toMatchObject({ op: 'request', type: 'discover' });
  });

  it('reads an offer of dnsmasq', () => {
    const options = `
      35 01 02 36 04 0a4f0101 33 04 00000078 3a 04 0000003c 3b 04 00000069 01 04 ffffff00 1c 04 0a4f01ff 03 04 0a4f0101 06 04 0a4f0101
      2a 04 0a4f0108 96 04 0a4f0109 a0 1a 687474703a2f2f6f746865722e6578616d706c652e746573742f
      42 1b 68747470733a2f2f70726f762e6578616d706c652e746573742f00 ff`;
    const head = '02010600 121335e9 0000 8000 00000000 0a4f0138 0a4f0101 00000000 020000ab0102';
    const offer = decodeDhcp(octets(`${head} ${'00'.repeat(202)} 63825363 ${options}`))!;
    expect(offer).toMatchObject({ op: 'reply', type: 'offer', transaction: 0x121335e9, broadcast: true, yourAddress: '10.79.1.56' });
    expect(optionSeconds(offer.options.get(DhcpOption.rebindingTime))).toBe(105);
    expect(optionAddresses(offer.options.get(DhcpOption.tftpServerAddress))).toEqual(['10.79.1.9']);
    expect(optionText(offer.options.get(DhcpOption.vendorServer)!)).toBe('http://other.example.test/');
    // The NUL that dnsmasq ends it with is not part of the text.
    expect(optionText(offer.options.get(DhcpOption.tftpServer)!)).toBe('https://prov.example.test/');
  });

  it('reads options in `file` and `sname` where they are overloaded (RFC 2131 part 4.1)', () => {
    const bytes = encodeDhcp({
      ...message,
      options: new Map([
        [52, Uint8Array.of(3)],
        [66, fromLatin1('a')],
      ]),
    });
    bytes.set([66, 1, 0x62, 255], 108);
    bytes.set([66, 2, 0x63, 0, 255], 44);
    const { options } = decodeDhcp(bytes)!;
    expect(latin1(options.get(66)!)).toBe('abc\0');
    expect(optionText(options.get(66)!)).toBe('abc');
    expect(options.has(52)).toBe(false);
  });

  it('refuses what is cut off anywhere inside an option', () => {
    const whole = encodeDhcp(message);
    const end = whole.lastIndexOf(255);
    for (let length = 0; length < end; length++) {
      const cut = decodeDhcp(whole.subarray(0, length));
      // Between two options it is merely shorter; it has the type, or is none.
      if (cut) expect(cut.type).toBe('ack');
    }
    expect(decodeDhcp(whole.subarray(0, 239))).toBeUndefined();
    expect(decodeDhcp(octets('00'.repeat(300)))).toBeUndefined();
  });
});

describe('DNS', () => {
  const message: DnsMessage = {
    id: 0x1234,
    response: true,
    authoritative: true,
    truncated: false,
    recursionDesired: true,
    recursionAvailable: true,
    rcode: 0,
    questions: [{ name: '_sips._tcp.example.test', type: DnsType.SRV }],
    answers: [
      { name: '_sips._tcp.example.test', ttl: 60, type: 'SRV', value: { priority: 1, weight: 2, port: 5061, target: 'sip.example.test' } },
      { name: 'sip.example.test', ttl: 60, type: 'CNAME', value: 'host.example.test' },
      { name: 'host.example.test', ttl: 60, type: 'A', value: '192.0.2.1' },
      { name: 'host.example.test', ttl: 60, type: 'AAAA', value: '2001:db8::1' },
      {
        name: 'example.test',
        ttl: 60,
        type: 'NAPTR',
        value: { order: 10, preference: 20, flags: 'S', service: 'SIPS+D2T', replacement: '_sips._tcp.example.test' },
      },
      { name: 'example.test', ttl: 60, type: 16, value: fromLatin1('\x03txt') },
    ],
  };

  it('round trips every kind of record', () => {
    expect(decodeDns(encodeDns(message)!)).toEqual(message);
    expect(decodeDns(encodeDns({ ...message, response: false, answers: [] })!)).toEqual({ ...message, response: false, answers: [] });
  });

  it('reads an answer of dnsmasq, with compression', () => {
    const bytes = octets(`
      99c0 8580 0001 0001 0000 0000 05 5f73697073 04 5f746370 07 6578616d706c65 04 74657374 00 0021 0001
      c00c 0021 0001 00000000 0018 0001 0002 13c5 03 736970 07 6578616d706c65 04 74657374 00`);
    expect(decodeDns(bytes)).toMatchObject({
      id: 0x99c0,
      response: true,
      rcode: 0,
      questions: [{ name: '_sips._tcp.example.test', type: DnsType.SRV }],
      answers: [
        { name: '_sips._tcp.example.test', ttl: 0, type: 'SRV', value: { priority: 1, weight: 2, port: 5061, target: 'sip.example.test' } },
      ],
    });
  });

  it('follows pointers, also in SRV targets and aliases, but not in circles', () => {
    const name = (text: string): Uint8Array => octets(text);
    // 0: "test" 00 | 6: "sip" -> 0 | 12: -> 12 | 14: -> 16 -> 14
    const bytes = name('04 74657374 00 03 736970 c000 c00c c010 c00e');
    expect(readName(bytes, 0)).toEqual({ name: 'test', end: 6 });
    expect(readName(bytes, 6)).toEqual({ name: 'sip.test', end: 12 });
    expect(readName(bytes, 12)).toBeUndefined();
    expect(readName(bytes, 14)).toBeUndefined();
    expect(readName(name('c0ff'), 0)).toBeUndefined();
    expect(readName(name('05 61'), 0)).toBeUndefined();
    expect(readName(name('40'), 0)).toBeUndefined();
    // A label that points back to itself makes an ever longer name: ended by the 255 octets.
    expect(readName(name('01 61 c000'), 0)).toBeUndefined();
  });

  it('escapes what is no letter, and refuses what is no name', () => {
    expect(readName(octets('03 61 2e 20 00'), 0)?.name).toBe('a\\.\\032');
    expect(hex(encodeName('a\\.\\032')!)).toBe('03612e2000');
    expect(hex(encodeName('.')!)).toBe('00');
    expect(hex(encodeName('test.')!)).toBe('047465737400');
    for (const bad of [
      '',
      '..',
      'a..b',
      '.a',
      'a..',
      `${'x'.repeat(64)}.test`,
      `${'abcdefg.'.repeat(32)}test`,
      '\\300',
      'ü'.repeat(1).replace('ü', '☃'),
    ]) {
      expect(encodeName(bad), bad).toBeUndefined();
    }
  });
});
