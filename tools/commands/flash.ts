/** `belfry flash`: what is on a flash image; takes a file off, puts one on. Secrets are counted, not shown. */

import { readCertificate } from '../../core/certs/certificate.codec.js';
import { isIdentityPath, readIdentity, readTrusted } from '../../core/certs/upload.policy.js';
import { type DeviceStorage, storeOf } from '../../core/device/device-storage.js';
import type { PlacedPartition } from '../../core/storage/image.codec.js';
import { iso8601 } from '../../hal/base/time.js';
import { createNodeCrypto } from '../../hal/node/crypto.js';
import { CannotRun, type Command, type ExitStatus, type Io } from '../command.js';
import { readInput, writeOutput } from '../files.js';
import { commitFile, openImage } from '../image.js';

export const flashCommand: Command = {
  name: 'flash',
  summary: 'what is on a flash image; take a file off, put one on',
  usage: 'inspect IMAGE | extract IMAGE PATH [FILE] | put IMAGE PATH FILE',
  options: {},
  examples: [
    ['belfry flash inspect lobby.flash', 'partitions, identity, files'],
    ['belfry flash put lobby.flash certs/trusted/site.pem site.pem', 'what uploading a CA to certs/trusted does'],
    ['belfry flash extract lobby.flash settings/provisioned.conf', 'the provisioned settings, on standard output'],
  ],
  run: async (args, io) => {
    const [what, path, name, file] = args.positionals;
    const known = what === 'inspect' || what === 'extract' || what === 'put';
    if (!known || path === undefined || (what !== 'inspect' && name === undefined) || (what === 'put' && file === undefined)) {
      throw new CannotRun('flash: say inspect IMAGE, extract IMAGE PATH [FILE] or put IMAGE PATH FILE; see belfry flash --help');
    }
    const { close, partitions, storage } = await openImage(path);
    try {
      if (what === 'inspect') return inspect(path, partitions, storage, io);
      return what === 'extract' ? extract(storage, name!, file) : await put(storage, name!, file!, io);
    } finally {
      close();
    }
  },
};

function inspect(path: string, partitions: readonly PlacedPartition[], storage: DeviceStorage, io: Io): ExitStatus {
  const { factory } = storage;
  const leaf = factory.identity && readCertificate(factory.identity.chain[0]!);
  const certificate = leaf?.ok ? `${leaf.value.subject.text}, valid until ${iso8601(leaf.value.notAfter).slice(0, 10)}` : 'none';
  const anchors = `${factory.anchors.certificates.length}, set ${factory.anchors.set}, ${factory.anchors.version}`;
  const files = [...storage.config.list(), ...storage.certs.list()].map((name) => ({ path: name, ...describe(name, storage) }));
  if (io.json) {
    const { board, mac, serial, made } = factory;
    io.record({ image: path, board, mac, serial, made: iso8601(made), certificate, anchors, partitions, files });
    return 0;
  }
  io.say(`${path}: board ${factory.board}, MAC ${factory.mac}, serial ${factory.serial}, made ${iso8601(factory.made).slice(0, 10)}`);
  io.say(`  device certificate      ${certificate}`);
  io.say(`  preinstalled public CAs ${anchors}`);
  for (const { name, offset, size, sector } of partitions) {
    io.say(
      `  partition ${name.padEnd(10)} at ${String(offset).padStart(8)}, ${String(size / 1024).padStart(6)} KiB in sectors of ${sector}`,
    );
  }
  for (const { path: name, size, what } of files)
    io.say(`  file ${name.padEnd(34)} ${String(size).padStart(6)} octets${what ? `  ${what}` : ''}`);
  return 0;
}

/** A run of a command is short: its own clock need not move. */
const crypto = createNodeCrypto({ clock: { now: () => 0 }, keysOn: 'turn' });

function describe(path: string, storage: DeviceStorage): { size: number; what?: string } {
  const bytes = storeOf(storage, path).read(path) ?? new Uint8Array(0);
  const size = bytes.length;
  if (path.startsWith('certs/trusted/')) {
    const trusted = readTrusted(bytes, { crypto });
    return { size, what: trusted.ok ? trusted.value.map(({ subject }) => subject.text).join('; ') : trusted.error.detail };
  }
  if (!isIdentityPath(path)) return { size };
  const identity = readIdentity(path, bytes, { crypto });
  return { size, what: identity.ok ? identity.value.certificates[0].subject.text : identity.error.detail };
}

function extract(storage: DeviceStorage, path: string, file: string | undefined): ExitStatus {
  const bytes = storeOf(storage, path).read(path);
  if (!bytes) throw new CannotRun(`there is no file ${path} on the image; belfry flash inspect lists them`);
  if (file === undefined) process.stdout.write(bytes);
  else writeOutput(file, bytes, { secret: true });
  return 0;
}

async function put(storage: DeviceStorage, path: string, file: string, io: Io): Promise<ExitStatus> {
  if (!/^(certs|settings)\//.test(path))
    throw new CannotRun(
      `flash put: ${path} is in no folder of the device; use certs/trusted/NAME, certs/sipclient.pem, certs/httpd.pem or settings/local.conf`,
    );
  const bytes = readInput(file);
  await commitFile(storage, path, bytes);
  if (io.json) io.record({ put: path, octets: bytes.length });
  else io.say(`${path}: ${bytes.length} octets`);
  return 0;
}
