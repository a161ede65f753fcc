/** `belfry flash`: what is on a flash image; takes a file off, puts one on as the device would. Secrets are counted, not shown. */
import { type Certificate, readCertificate } from '../../core/certs/certificate.codec.js';
import { daysLeft } from '../../core/certs/expiry.policy.js';
import { isIdentityPath, readIdentity, readTrusted, TRUSTED } from '../../core/certs/upload.policy.js';
import { type DeviceStorage, storeOf } from '../../core/device/device-storage.js';
import type { PlacedPartition } from '../../core/storage/image.codec.js';
import { iso8601 } from '../../hal/base/time.js';
import { createNodeCrypto } from '../../hal/node/crypto.js';
import { type Arguments, CannotRun, type Command, type ExitStatus, type Io } from '../command.js';
import { readInput, writeOutput } from '../files.js';
import { commitFile, openImage, putFile } from '../image.js';

const USES = 'inspect IMAGE, extract IMAGE PATH [FILE] or put IMAGE PATH FILE';

export const flashCommand: Command = {
  name: 'flash',
  summary: 'what is on a flash image; take a file off, put one on',
  usage: 'inspect IMAGE | extract IMAGE PATH [FILE] | put IMAGE PATH FILE',
  options: {
    'passphrase-file': {
      type: 'string',
      value: 'FILE',
      help: 'put: the passphrase of a PKCS#12 file or an encrypted key is its first line',
    },
    firmware: { type: 'string', value: 'V', help: "put: what this firmware version takes (default: the board's newest)" },
  },
  examples: [
    ['belfry flash inspect lobby.flash', 'partitions, identity, files; certificates with their dates and the days that are left'],
    [
      'belfry flash put lobby.flash certs/trusted/site.pem site.pem',
      'what uploading a CA to certs/trusted does, with the verdict on the file',
    ],
    ['belfry flash put lobby.flash certs/sipclient.pem lobby.p12 --passphrase-file pass', 'another identity than the one from the factory'],
    ['belfry flash extract lobby.flash settings/provisioned.conf', 'the provisioned settings, on standard output'],
  ],
  run: async (args, io) => {
    const [what, path, name, file] = args.positionals;
    const known = what === 'inspect' || what === 'extract' || what === 'put';
    if (!known || path === undefined || (what !== 'inspect' && name === undefined) || (what === 'put' && file === undefined)) {
      throw new CannotRun(`flash: say ${USES}; see belfry flash --help`);
    }
    const { close, partitions, storage } = await openImage(path);
    try {
      if (what === 'inspect') return inspect(path, partitions, storage, io);
      return what === 'extract' ? extract(storage, name!, file) : await put(storage, { path: name!, file: file! }, args, io);
    } finally {
      close();
    }
  },
};

/** A run of a command is short: its own clock need not move. */
const crypto = createNodeCrypto({ clock: { now: () => 0 }, keysOn: 'turn' });

interface CertificateLine {
  subject: string;
  from: string;
  until: string;
  /** Negative once it has ended. */
  days: number;
}

const lineOf = ({ subject, notBefore, notAfter }: Certificate): CertificateLine => ({
  subject: subject.text,
  from: iso8601(notBefore).slice(0, 10),
  until: iso8601(notAfter).slice(0, 10),
  days: daysLeft(notAfter, Date.now()),
});

const shown = ({ subject, from, until, days }: CertificateLine): string =>
  `${subject}, valid from ${from} until ${until}, ${days < 0 ? `ended ${-days} days ago` : `${days} days left`}`;

function inspect(path: string, partitions: readonly PlacedPartition[], storage: DeviceStorage, io: Io): ExitStatus {
  const { board, mac, serial, made, identity, anchors } = storage.factory;
  const certificates = (identity?.chain ?? []).map(readCertificate).flatMap((read) => (read.ok ? [lineOf(read.value)] : []));
  const files = [...storage.config.list(), ...storage.certs.list()].map((name) => ({ path: name, ...describe(name, storage) }));
  if (io.json) {
    const { set, version } = anchors;
    const about = { image: path, board, mac, serial, made: iso8601(made), certificates };
    io.record({ ...about, anchors: { set, version, count: anchors.certificates.length }, partitions, files });
    return 0;
  }
  io.say(`${path}: board ${board}, MAC ${mac}, serial ${serial}, made ${iso8601(made).slice(0, 10)}`);
  io.say(`  device certificate      ${certificates.length === 0 ? 'none' : ''}`.trimEnd());
  for (const certificate of certificates) io.say(`    ${shown(certificate)}`);
  io.say(`  preinstalled public CAs ${anchors.certificates.length}, set ${anchors.set}, ${anchors.version}`);
  for (const { name, offset, size, sector } of partitions) {
    io.say(
      `  partition ${name.padEnd(10)} at ${String(offset).padStart(8)}, ${String(size / 1024).padStart(6)} KiB in sectors of ${sector}`,
    );
  }
  for (const { path: name, size, fault, certificates: held } of files) {
    io.say(`  file ${name.padEnd(34)} ${String(size).padStart(6)} octets${fault === undefined ? '' : `  ${fault}`}`);
    for (const certificate of held) io.say(`    ${shown(certificate)}`);
  }
  return 0;
}

/** What the device finds in a file at boot. */
function describe(path: string, storage: DeviceStorage): { size: number; certificates: readonly CertificateLine[]; fault?: string } {
  const bytes = storeOf(storage, path).read(path) ?? new Uint8Array(0);
  const size = bytes.length;
  const read = isIdentityPath(path)
    ? readIdentity(path, bytes, { crypto })
    : path.startsWith(TRUSTED)
      ? readTrusted(bytes, { crypto })
      : undefined;
  if (!read) return { size, certificates: [] };
  if (!read.ok) return { size, certificates: [], fault: read.error.detail };
  const certificates = 'certificates' in read.value ? read.value.certificates : read.value;
  return { size, certificates: certificates.map(lineOf) };
}

function extract(storage: DeviceStorage, path: string, file: string | undefined): ExitStatus {
  const bytes = storeOf(storage, path).read(path);
  if (!bytes) throw new CannotRun(`there is no file ${path} on the image; belfry flash inspect lists them`);
  if (file === undefined) process.stdout.write(bytes);
  else writeOutput(file, bytes, { secret: true });
  return 0;
}

async function put(storage: DeviceStorage, { path, file }: { path: string; file: string }, args: Arguments, io: Io): Promise<ExitStatus> {
  const bytes = readInput(file);
  if (path.startsWith('settings/')) {
    await commitFile(storage, path, bytes);
    if (io.json) io.record({ put: path, octets: bytes.length });
    else io.say(`${path}: ${bytes.length} octets`);
    return 0;
  }
  const secret = args.text('passphrase-file');
  const firmware = args.text('firmware');
  const verdict = await putFile(storage, path, bytes, {
    ...(secret === undefined ? {} : { passphrase: firstLine(readInput(secret)) }),
    ...(firmware === undefined ? {} : { firmware }),
  });
  if (!verdict.ok) {
    if (io.json) io.record({ refused: path, kind: verdict.error.kind, detail: verdict.error.detail });
    else io.say(`${path} refused: ${verdict.error.detail}`);
    return 1;
  }
  const { subjects, notes } = verdict.value;
  if (io.json) io.record({ put: path, subjects, notes });
  else for (const line of [`${path}: ${subjects.join('; ')}`, ...notes.map((note) => `  note: ${note}`)]) io.say(line);
  return 0;
}

const firstLine = (bytes: Uint8Array): string => Buffer.from(bytes).toString('utf8').split(/\r?\n/)[0]!;
