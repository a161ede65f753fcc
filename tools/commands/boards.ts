/** `belfry boards`: which boards there are, whether they have TLS and why not, and what a firmware version adds. */
import { boards, findBoard } from '../../boards/index.js';
import { type FeatureName, type Features, featuresOf, lackOf } from '../../core/device/features.js';
import { isFirmwareVersion } from '../../core/device/firmware-version.js';
import { REGISTRY } from '../../core/settings/registry.js';
import { Settings } from '../../core/settings/settings.js';
import { valuesInWords } from '../../core/settings/value-types.js';
import type { BoardProfile } from '../../hal/board.js';
import { CannotRun, type Command, type Io } from '../command.js';

export const boardsCommand: Command = {
  name: 'boards',
  summary: 'the boards, their TLS mark and why, features and settings at a firmware version',
  usage: '[ID] [--firmware V] [--settings]',
  options: {
    settings: { type: 'boolean', help: 'every setting that the board has: default, values, page, and whether anything acts on it' },
    firmware: { type: 'string', value: 'V', help: 'the firmware version to tell features of (default: the newest of the board)' },
  },
  examples: [
    ['belfry boards', 'every board, a line each'],
    ['belfry boards 8180-g2 --firmware 3.2', 'what an 8180 G2 does with firmware 3.2'],
    ['belfry boards 8301 --settings', 'the settings of an 8301'],
  ],
  run: async (args, io) => {
    const firmware = args.text('firmware');
    if (firmware !== undefined && !isFirmwareVersion(firmware))
      throw new CannotRun(`boards: '${firmware}' is no firmware version; write it like 5.5`);
    const [id] = args.positionals;
    const show = args.flag('settings') ? listSettings : showBoard;
    if (id !== undefined) show(boardOrExplain(id), firmware, io);
    else if (args.flag('settings')) throw new CannotRun('boards: --settings is of one board; name it');
    else if (firmware === undefined) listBoards(io);
    else for (const board of boards.values()) show(board, firmware, io);
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

/** In the order in which they are shown; TLS itself is shown with its versions. */
const FEATURES: readonly [FeatureName, string][] = [
  ['srtp', 'SRTP'],
  ['deviceCertificate', 'device certificate'],
  ['trustedUpload', 'certs/trusted'],
  ['forceSecureTls', 'Force secure TLS'],
  ['weakTls', 'Allow Weak TLS'],
  ['restApi', 'REST API'],
  ['cloudManagement', 'cloud management'],
  ['dnsSrv', 'DNS SRV'],
];

function describe(board: BoardProfile, { firmware, tlsVersions: versions }: Features): [string, string][] {
  const has = (feature: FeatureName, what = 'yes'): string => {
    const lack = lackOf(board, firmware, feature);
    return lack ? `no: ${lack.detail}` : what;
  };
  return [
    ['TLS', has('tls', versions && `${versions.min} to ${versions.max}`)],
    ...FEATURES.map(([feature, label]): [string, string] => [label, has(feature)]),
    ['lines', board.lines.map((line) => `${line.name} (${line.kind})`).join(', ') || 'none'],
    ['flash', board.flash.map((part) => `${part.name} ${part.size / 1024} KiB`).join(', ')],
  ];
}

function listSettings(board: BoardProfile, version: string | undefined, io: Io): void {
  const features = featuresOf(board, version ?? board.firmware.newest);
  const unset = new Settings({ board, features, mac: '' });
  const known = [...REGISTRY].filter(([key]) => unset.knows(key));
  if (!io.json) io.say(`${board.product} (${board.id}), firmware ${features.firmware}: ${known.length} settings`);
  for (const [key, { page, label, read, provenance, effect, secret, needs }] of known) {
    const entry = { key, default: unset.raw(key), values: valuesInWords(read), page, label, provenance, effect: effect ?? 'acts' };
    const lack = needs && lackOf(board, features.firmware, needs.feature);
    const notes = [provenance, ...(effect ? ['without effect yet'] : []), ...(secret ? ['secret'] : []), ...(lack ? [lack.detail] : [])];
    if (io.json) io.record({ ...entry, secret: secret === true, ...(lack ? { lacks: lack.detail } : {}) });
    else io.say(`${`${key} = ${entry.default}`.padEnd(46)} ${page} > ${label}; ${entry.values}; ${notes.join(', ')}`);
  }
}
