/** `belfry boards`: which boards there are, whether they have TLS and why not, and what a firmware version adds. */
import { boards, findBoard } from '../../boards/index.js';
import { type Features, featuresOf } from '../../core/device/features.js';
import { isFirmwareVersion } from '../../core/device/firmware-version.js';
import type { BoardProfile } from '../../hal/board.js';
import { CannotRun, type Command, type Io } from '../command.js';

export const boardsCommand: Command = {
  name: 'boards',
  summary: 'the boards, their TLS mark and why, features at a firmware version',
  usage: '[ID] [--firmware V]',
  options: {
    firmware: { type: 'string', value: 'V', help: 'the firmware version to tell features of (default: the newest of the board)' },
  },
  examples: [
    ['belfry boards', 'every board, a line each'],
    ['belfry boards 8180-g2 --firmware 3.2', 'what an 8180 G2 does with firmware 3.2'],
  ],
  run: async (args, io) => {
    const firmware = args.text('firmware');
    if (firmware !== undefined && !isFirmwareVersion(firmware))
      throw new CannotRun(`boards: '${firmware}' is no firmware version; write it like 5.5`);
    const [id] = args.positionals;
    if (id === undefined) {
      if (firmware === undefined) listBoards(io);
      else for (const board of boards.values()) showBoard(board, firmware, io);
    } else showBoard(boardOrExplain(id), firmware, io);
    return 0;
  },
};

export function boardOrExplain(id: string): BoardProfile {
  const board = findBoard(id);
  if (!board) throw new CannotRun(`there is no board '${id}'; the boards are ${[...boards.keys()].join(', ')}`);
  return board;
}

function listBoards(io: Io): void {
  for (const board of boards.values()) {
    const tls = board.tls.supported ? 'TLS' : `no TLS (${board.tls.why})`;
    if (io.json) io.record({ board: board.id, product: board.product, tls: board.tls.supported, firmware: board.firmware.newest });
    else io.say(`${board.id.padEnd(9)} ${board.product.padEnd(34)} firmware ${board.firmware.newest.padEnd(6)} ${tls}`);
  }
}

function showBoard(board: BoardProfile, version: string | undefined, io: Io): void {
  const features = featuresOf(board, version ?? board.firmware.newest);
  if (io.json) {
    io.record(features);
    return;
  }
  io.say(`${board.product} (${board.id}), firmware ${features.firmware}`);
  for (const [label, value] of describe(board, features)) io.say(`  ${label.padEnd(22)}${value}`);
}

const yes = (has: boolean): string => (has ? 'yes' : 'no');

function describe(board: BoardProfile, features: Features): [string, string][] {
  const versions = features.tlsVersions;
  const tls = versions
    ? `${versions.min} to ${versions.max}`
    : board.tls.supported
      ? 'not in this firmware (from 1.6.4)'
      : `no (${board.tls.why})`;
  return [
    ['TLS', tls],
    ['SRTP', yes(features.srtp)],
    ['device certificate', yes(features.deviceCertificate)],
    ['certs/trusted', yes(features.trustedUpload)],
    ['Force secure TLS', yes(features.forceSecureTls)],
    ['REST API', yes(features.restApi)],
    ['DNS SRV', yes(features.dnsSrv)],
    ['lines', board.lines.map((line) => `${line.name} (${line.kind})`).join(', ') || 'none'],
    ['flash', board.flash.map((part) => `${part.name} ${part.size / 1024} KiB`).join(', ')],
  ];
}
