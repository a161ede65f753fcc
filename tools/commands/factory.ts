/**
 * `belfry factory`: what happens at manufacture. Makes the authorities, certificates for servers that devices meet, and flash images whose
 * factory partition holds a unit's identity.
 */
import { randomFillSync } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { rootCertificates } from 'node:tls';
import { addressOctets } from '../../core/certs/address.js';
import { type Authorities, issueDeviceCertificate, issueServerCertificate, makeAuthorities } from '../../core/certs/authority.js';
import { readCertificate } from '../../core/certs/certificate.codec.js';
import { readCertificateFile } from '../../core/certs/certificate-file.codec.js';
import type { AltName, Authority, IssuingPorts } from '../../core/certs/issue.js';
import { readPem, writePem } from '../../core/certs/pem.codec.js';
import { CLIENT_IDENTITY, readIdentity, readTrusted } from '../../core/certs/upload.policy.js';
import { encodeFactory, type FactoryContent } from '../../core/storage/factory.codec.js';
import { encodePartitionTable, placePartitions } from '../../core/storage/image.codec.js';
import { concat, hex, utf8 } from '../../hal/base/bytes.js';
import { DAY, fromIso8601, iso8601, MILLISECOND } from '../../hal/base/time.js';
import type { BoardProfile } from '../../hal/board.js';
import type { Der, UnixMillis } from '../../hal/hal.js';
import { createNodeCrypto, exported, makeKey } from '../../hal/node/crypto.js';
import { type Arguments, CannotRun, type Command, type ExitStatus, type Io } from '../command.js';
import { readInput, writeOutput } from '../files.js';
import { boardOrExplain } from './boards.js';

export const factoryCommand: Command = {
  name: 'factory',
  summary: 'authorities, and flash images with a device identity, as made at manufacture',
  usage:
    'ca --out DIR [--server NAMES] | server --ca DIR --server NAMES --out PREFIX | device --board ID --mac MAC (--ca DIR | --cert PEM --key PEM | --no-certificate) --out IMAGE',
  options: {
    out: {
      type: 'string',
      value: 'PATH',
      help: 'ca: the folder to make; server: PREFIX.crt and PREFIX.key; device: the flash image to write',
    },
    server: {
      type: 'string',
      value: 'NAMES',
      help: 'a server certificate for these host names and addresses, comma between; with ca: server.crt',
    },
    board: { type: 'string', value: 'ID', help: 'device: the board (belfry boards lists them)' },
    mac: { type: 'string', value: 'MAC', help: 'device: 12 hex digits; becomes the CN of the device certificate' },
    ca: { type: 'string', value: 'DIR', help: 'server, device: sign with the issuing authority of this folder' },
    cert: { type: 'string', value: 'PEM', help: 'device: take this certificate (and the chain in the file) instead' },
    key: { type: 'string', value: 'PEM', help: 'device: the private key of --cert' },
    'no-certificate': { type: 'boolean', help: 'device: a unit from before 2019, without a device certificate' },
    anchors: {
      type: 'string',
      value: 'FILE',
      help: 'device: preinstalled CAs, PEM (default: the Mozilla set of this Node; none without TLS)',
    },
    made: { type: 'string', value: 'DATE', help: 'the date of manufacture, 2026-01-31 (default: now)' },
  },
  examples: [
    ['belfry factory ca --out ca', 'root, intermediate and issuing as .crt and .key, chain.pem and cas.pem'],
    ['belfry factory server --ca ca --server prov.example.com,192.0.2.7 --out prov', 'prov.crt, with its chain, and prov.key'],
    ['belfry factory device --board 8180-g2 --mac 0022EE0A0001 --ca ca --out lobby.flash', 'one unit, ready for belfry run'],
  ],
  run: async (args, io) => {
    const [what] = args.positionals;
    if (what === 'ca') return makeCa(args, io);
    if (what === 'server') return makeServer(args, io);
    if (what === 'device') return makeDevice(args, io);
    throw new CannotRun('factory: say what to make, ca, server or device; see belfry factory --help');
  },
};

const ROLES = ['root', 'intermediate', 'issuing'] as const;
/** A run of a command is short: its own clock need not move. */
const crypto = createNodeCrypto({ clock: { now: () => 0 }, keysOn: 'turn' });
const ports: IssuingPorts = { crypto, entropy: { fill: (out) => void randomFillSync(out) } };

const needed = (args: Arguments, name: string): string => {
  const value = args.text(name);
  if (value === undefined) throw new CannotRun(`factory: --${name} is needed; see belfry factory --help`);
  return value;
};

function dateOf(args: Arguments): UnixMillis {
  const text = args.text('made');
  const at = text === undefined ? Date.now() : fromIso8601(text);
  if (at === undefined) throw new CannotRun(`factory: --made ${text} is no date; write it like 2026-01-31`);
  return at;
}

function makeCa(args: Arguments, io: Io): ExitStatus {
  const dir = needed(args, 'out');
  const names = [...ROLES.flatMap((role) => [`${role}.crt`, `${role}.key`]), 'chain.pem', 'cas.pem'];
  const there = names.find((name) => existsSync(join(dir, name)));
  if (there)
    throw new CannotRun(`factory ca: ${join(dir, there)} is there already; an authority is never overwritten, name another folder`);
  const made = { root: exported(makeKey('rsa-2048')), intermediate: exported(makeKey('rsa-2048')), issuing: exported(makeKey('rsa-2048')) };
  const keys = { root: made.root.key, intermediate: made.intermediate.key, issuing: made.issuing.key };
  const authorities = makeAuthorities(ports, { keys, made: dateOf(args), organization: 'Belfry' });
  const pem = (role: (typeof ROLES)[number]): string => writePem('CERTIFICATE', authorities[role].certificate);
  for (const role of ROLES) {
    writeOutput(join(dir, `${role}.crt`), pem(role));
    writeOutput(join(dir, `${role}.key`), writePem('PRIVATE KEY', made[role].pkcs8), { secret: true });
  }
  writeOutput(join(dir, 'chain.pem'), pem('issuing') + pem('intermediate'));
  writeOutput(join(dir, 'cas.pem'), pem('root') + pem('intermediate') + pem('issuing'));
  if (io.json) io.record({ made: 'ca', folder: dir, files: names });
  else io.say(`${dir}: ${names.join(', ')}\ninstall cas.pem on the servers that shall recognise devices; keep the .key files secret`);
  return args.text('server') === undefined ? 0 : writeServer(args, { ca: dir, prefix: join(dir, 'server') }, io);
}

const makeServer = (args: Arguments, io: Io): ExitStatus => writeServer(args, { ca: needed(args, 'ca'), prefix: needed(args, 'out') }, io);

/** Clients refuse longer ones: Apple's limit for a server certificate of a private authority. */
const SERVER_DAYS = 825;

/** The certificate comes with its chain, as servers want it in one file. */
function writeServer(args: Arguments, { ca, prefix }: { ca: string; prefix: string }, io: Io): ExitStatus {
  const [first, ...others] = needed(args, 'server').split(',').map(altName);
  const issuer = authorityOf(ca, 'issuing');
  const server = exported(makeKey('rsa-2048'));
  const from = dateOf(args);
  const until = from + (SERVER_DAYS * DAY) / MILLISECOND;
  const leaf = issueServerCertificate(ports, { names: [first!, ...others], from, until, publicKey: server.key.spki, issuer });
  const chain = [leaf, issuer.certificate, certificateOf(join(ca, 'intermediate.crt'))];
  writeOutput(`${prefix}.crt`, chain.map((certificate) => writePem('CERTIFICATE', certificate)).join(''));
  writeOutput(`${prefix}.key`, writePem('PRIVATE KEY', server.pkcs8), { secret: true });
  const files = [`${prefix}.crt`, `${prefix}.key`];
  if (io.json) io.record({ made: 'server', files, names: [first!, ...others].map(({ value }) => value), until: iso8601(until) });
  else io.say(`${files.join(', ')}: a server certificate for ${needed(args, 'server')}, valid until ${iso8601(until).slice(0, 10)}`);
  return 0;
}

function altName(value: string): AltName {
  if (addressOctets(value)) return { type: 'ip', value };
  if (!/^([a-z0-9-]+\.)*[a-z][a-z0-9-]*$/i.test(value)) throw new CannotRun(`factory: '${value}' is neither a host name nor an address`);
  return { type: 'dns', value };
}

function makeDevice(args: Arguments, io: Io): ExitStatus {
  const board = boardOrExplain(needed(args, 'board'));
  const mac = needed(args, 'mac').replace(/[:-]/g, '').toUpperCase();
  if (!/^[0-9A-F]{12}$/.test(mac)) throw new CannotRun(`factory: --mac ${args.text('mac')} is no MAC address; write 12 hex digits`);
  const made = dateOf(args);
  const identity = identityOf(args, board, mac, made);
  const anchors = anchorsOf(args, board);
  const content: FactoryContent = {
    board: board.id,
    mac,
    serial: `BLF${mac}`,
    made,
    password: password(),
    ...(identity ? { identity } : {}),
    anchors,
  };
  writeOutput(needed(args, 'out'), flashImage(board, content), { secret: true, fresh: true });
  report(content, args.text('out')!, io);
  return 0;
}

function identityOf(args: Arguments, board: BoardProfile, mac: string, made: UnixMillis): FactoryContent['identity'] {
  const ways = [args.text('ca'), args.text('cert') ?? args.text('key'), args.flag('no-certificate') || undefined].filter(
    (way) => way !== undefined,
  );
  if (ways.length !== 1) throw new CannotRun('factory device: choose one of --ca DIR, --cert PEM --key PEM, --no-certificate');
  if (args.flag('no-certificate')) return undefined;
  if (!board.tls.supported)
    throw new CannotRun(`factory device: the ${board.model} has no TLS, so no device certificate (${board.tls.why}); use --no-certificate`);
  const dir = args.text('ca');
  return dir === undefined ? givenIdentity(needed(args, 'cert'), needed(args, 'key')) : signedIdentity(dir, mac, made);
}

function signedIdentity(dir: string, mac: string, made: UnixMillis): FactoryContent['identity'] {
  const issuing = authorityOf(dir, 'issuing');
  const device = exported(makeKey('rsa-2048'));
  const leaf = issueDeviceCertificate(ports, { mac, made, publicKey: device.key.spki, issuer: issuing });
  return { chain: [leaf, issuing.certificate, certificateOf(join(dir, 'intermediate.crt'))], pkcs8: device.pkcs8 };
}

function certificateOf(path: string): Der {
  const read = readTrusted(readInput(path), { crypto });
  if (!read.ok) throw new CannotRun(`${path} ${read.error.detail}`);
  return read.value[0]!.der;
}

function authorityOf(dir: string, role: keyof Authorities): Authority {
  const path = join(dir, `${role}.crt`);
  const pair = readIdentityFile(path, join(dir, `${role}.key`));
  return { certificate: certificateOf(path), key: pair };
}

function readIdentityFile(certificate: string, key: string): Authority['key'] {
  const imported = crypto.importKey(keyOf(key));
  if (!imported.ok) throw new CannotRun(`${key}: ${imported.error.detail}`);
  const leaf = readCertificate(certificateOf(certificate));
  if (!leaf.ok || hex(leaf.value.spki) !== hex(imported.value.spki)) throw new CannotRun(`${key} is not the key of ${certificate}`);
  return imported.value;
}

function keyOf(path: string): Der {
  const file = readCertificateFile(readInput(path), { crypto });
  const key = file.ok ? file.value.keys[0]?.() : file;
  if (!key) throw new CannotRun(`${path} holds no private key`);
  if (!key.ok) throw new CannotRun(`${path}: ${key.error.detail}`);
  return key.value;
}

function givenIdentity(certificate: string, key: string): FactoryContent['identity'] {
  const both = readIdentity(CLIENT_IDENTITY, concat(readInput(certificate), utf8('\n'), readInput(key)), { crypto });
  if (!both.ok) throw new CannotRun(`${certificate} with ${key} ${both.error.detail}`);
  return { chain: both.value.chain, pkcs8: both.value.pkcs8 };
}

function anchorsOf(args: Arguments, board: BoardProfile): FactoryContent['anchors'] {
  const file = args.text('anchors');
  if (file === undefined && !board.tls.supported) return { set: 'none', version: 'the board has no TLS', certificates: [] };
  if (file === undefined) {
    const certificates = rootCertificates.map((pem) => expectBlock(utf8(pem)));
    return { set: 'Mozilla', version: `Node ${process.versions.node}`, certificates };
  }
  const read = readTrusted(readInput(file), { crypto });
  if (!read.ok) throw new CannotRun(`${file} ${read.error.detail}`);
  return { set: file, version: iso8601(Date.now()).slice(0, 10), certificates: read.value.map(({ der }) => der) };
}

const expectBlock = (pem: Uint8Array): Der => {
  const blocks = readPem(pem);
  if (!blocks.ok) throw new Error('a root certificate of Node is no PEM');
  return blocks.value[0]!.octets;
};

/** The first administrator password is random: there is no default one to look up. */
const password = (): string => hex(crypto.digest('sha256', randomFillSync(new Uint8Array(32)))).slice(0, 12);

function flashImage(board: BoardProfile, content: FactoryContent): Uint8Array {
  const { partitions, size } = placePartitions(board.flash);
  const record = encodeFactory(content);
  const factory = partitions.find(({ name }) => name === 'factory');
  if (!factory) throw new CannotRun(`the board ${board.id} has no factory partition`);
  if (record.length > factory.size)
    throw new CannotRun(`the identity takes ${record.length} octets, the factory partition has ${factory.size}; give fewer --anchors`);
  const image = new Uint8Array(size).fill(factory.erased);
  image.set(encodePartitionTable(board.flash), 0);
  image.set(record, factory.offset);
  return image;
}

function report(content: FactoryContent, image: string, io: Io): void {
  const leaf = content.identity && readCertificate(content.identity.chain[0]!);
  const certificate = leaf?.ok ? { subject: leaf.value.subject.text, until: iso8601(leaf.value.notAfter).slice(0, 10) } : undefined;
  const { set, version, certificates } = content.anchors;
  if (io.json)
    io.record({
      made: 'device',
      image,
      board: content.board,
      mac: content.mac,
      certificate,
      anchors: { set, version, count: certificates.length },
    });
  else {
    io.say(`${image}: board ${content.board}, MAC ${content.mac}, serial ${content.serial}, first password ${content.password}`);
    io.say(certificate ? `device certificate ${certificate.subject}, valid until ${certificate.until}` : 'no device certificate');
    io.say(`preinstalled public CAs: ${certificates.length}, set ${set}, ${version}`);
  }
}
