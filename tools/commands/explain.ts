/** `belfry explain`: reads a capture, ours or a customer's, and says of each TLS connection what was agreed, who refused whom, and the mend. */
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type Features, featuresOf } from '../../core/device/features.js';
import { isFirmwareVersion } from '../../core/device/firmware-version.js';
import { fromUtf8 } from '../../hal/base/bytes.js';
import { fromIso8601 } from '../../hal/base/time.js';
import type { UnixMillis } from '../../hal/hal.js';
import { createNodeCrypto } from '../../hal/node/crypto.js';
import { type Arguments, CannotRun, type Command, type Io } from '../command.js';
import { readCaptureFile } from '../explain/capture-file.codec.js';
import type { Knowledge } from '../explain/case.js';
import { explainCapture } from '../explain/explain.js';
import { createTrusted, type Trusted, type TrustedInput } from '../explain/trusted.js';
import { readInput } from '../files.js';
import { openImage } from '../image.js';
import { boardOrExplain } from './boards.js';

export const explainCommand: Command = {
  name: 'explain',
  summary: 'reads a capture: what each TLS connection came to, who refused whom, and what mends it',
  usage: 'FILE.pcapng [--secrets FILE] [--trust FILE|DIR]… [--flash IMAGE] …',
  options: {
    secrets: { type: 'string', value: 'FILE', help: 'a key log (SSLKEYLOGFILE), for TLS 1.3; those inside the capture count too' },
    trust: { type: 'string', value: 'FILE|DIR', multiple: true, help: 'CA certificates that the device trusts, as in certs/trusted' },
    flash: { type: 'string', value: 'IMAGE', help: 'judge as the device with this flash image does' },
    name: { type: 'string', value: 'HOST', help: "the server's name as the device was told, where its ClientHello names none" },
    at: {
      type: 'string',
      value: 'DATE',
      help: "judge dates by this time, 2026-01-31 or 2026-01-31T08:00:00Z (default: the capture's own)",
    },
    board: { type: 'string', value: 'ID', help: 'with --firmware: say which TLS versions that device speaks' },
    firmware: { type: 'string', value: 'V', help: "the firmware version of --board (default: the board's newest)" },
  },
  examples: [
    ['belfry explain mirror.pcapng', 'what a mirrored switch port showed'],
    ['belfry explain mirror.pcapng --trust site-ca.pem', 'and whether a device with that CA would take the server'],
    ['belfry explain belfry-out/secure-page/capture.pcapng', 'a simulation; its capture holds the secrets'],
  ],
  run: async (args, io) => {
    const [path] = args.positionals;
    if (path === undefined) throw new CannotRun('explain: name a capture; see belfry explain --help');
    const capture = readCaptureFile(readBounded(path));
    if (!capture.ok) throw new CannotRun(`${path} cannot be read: ${capture.error}`);
    const secrets = args.text('secrets');
    const knowledge = await knowledgeOf(args, io);
    return explainCapture({
      name: path,
      capture: capture.value,
      secrets: secrets === undefined ? '' : fromUtf8(readBounded(secrets)),
      knowledge,
      style: { width: Math.max(NARROWEST, process.stdout.columns ?? USUAL), colour: process.stdout.isTTY && !process.env['NO_COLOR'] },
      io,
    });
  },
};

const NARROWEST = 60;
const USUAL = 120;
/** Ours: a file is read into memory at once. */
const MOST_MEGABYTES = 512;

function readBounded(path: string): Uint8Array {
  const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  if (size > MOST_MEGABYTES * 1e6)
    throw new CannotRun(
      `${path} is larger than ${MOST_MEGABYTES} MB: cut the device out of it first (tshark -r FILE -Y "ip.addr == ADDRESS" -w SMALLER.pcapng)`,
    );
  return readInput(path);
}

async function knowledgeOf(args: Arguments, io: Io): Promise<Knowledge> {
  const crypto = createNodeCrypto({ clock: { now: () => 0 }, keysOn: 'turn' });
  const trusted = await trustedOf(args, crypto);
  for (const refused of trusted.refused) io.say(`! ${refused}`);
  return { trusted, crypto, at: timeOf(args), name: args.text('name'), features: deviceOf(args) };
}

async function trustedOf(args: Arguments, crypto: TrustedInput['crypto']): Promise<Trusted> {
  const files = new Map(
    args
      .all('trust')
      .flatMap(filesAt)
      .map((path) => [path, readInput(path)] as const),
  );
  const flash = args.text('flash');
  if (flash === undefined) return createTrusted({ files, crypto });
  const { storage, close } = await openImage(flash);
  close();
  return createTrusted({ files, crypto, device: { factory: storage.factory, certs: storage.certs } });
}

/** A folder stands for the files in it. */
function filesAt(path: string): string[] {
  const isFolder = statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
  if (!isFolder) return [path];
  return readdirSync(path, { withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(path, entry.name))
    .sort();
}

function timeOf(args: Arguments): UnixMillis | undefined {
  const text = args.text('at');
  const at = text === undefined ? undefined : fromIso8601(text);
  if (text !== undefined && at === undefined)
    throw new CannotRun(`explain: --at ${text} is no date; write it like 2026-01-31 or 2026-01-31T08:00:00Z`);
  return at;
}

function deviceOf(args: Arguments): Features | undefined {
  const [id, firmware] = [args.text('board'), args.text('firmware')];
  if (id === undefined && firmware !== undefined) throw new CannotRun('explain: --firmware needs --board; belfry boards lists them');
  if (id === undefined) return undefined;
  const board = boardOrExplain(id);
  if (firmware !== undefined && !isFirmwareVersion(firmware))
    throw new CannotRun(`explain: '${firmware}' is no firmware version; write it like 5.5`);
  return featuresOf(board, firmware ?? board.firmware.newest);
}
