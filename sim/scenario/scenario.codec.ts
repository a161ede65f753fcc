/** The YAML form of a scenario (YAML 1.2, core schema), read strictly: a field that nobody knows is an error with its place. */
import { LineCounter, type Node, parseDocument } from 'yaml';
import { err, ok } from '../../hal/base/result.js';
import { fromIso8601 } from '../../hal/base/time.js';
import type { Result } from '../../hal/hal.js';
import { expectation } from './expectation.codec.js';
import { fileSource, serverCertificate, values } from './files.codec.js';
import { expandGroups, MOST_OF_A_GROUP, type WrittenDevice } from './groups.js';
import { applyOverrides, type Override } from './overrides.js';
import { duration, frequency, share } from './quantity.js';
import {
  integer,
  type JsonSchema,
  list,
  object,
  objectAnd,
  oneOf,
  optional,
  type Problem,
  parsed,
  type Reader,
  type ReportProblem,
  record,
  refined,
  required,
  Source,
  text,
} from './reader.js';
import type { ImageSetup, ProvisioningSetup, Scenario } from './scenario.js';
import { crossCheck } from './scenario.policy.js';
import { step } from './step.codec.js';

const instant = parsed(fromIso8601, 'a time in UTC, such as 2026-01-01T00:00:00Z');
const mac = refined(text, (value, source) =>
  /^[0-9A-Fa-f]{12}$/.test(value)
    ? value.toUpperCase()
    : source.problem(`"${value}" is not a MAC of 12 hex digits, such as "0022EE0A0001"`),
);
/** Names become file names of the artefacts and labels of the ladder. */
const hostName = (name: string): string | undefined =>
  /^[A-Za-z0-9][A-Za-z0-9-]{0,31}$/.test(name) ? undefined : `"${name}" is no name: letters, digits and -, at most 32`;

const lan = object({
  latency: optional(duration, 'time that a frame takes on a link'),
  jitter: optional(duration, 'added to it, anew for each frame, from 0 to this'),
  loss: optional(share, 'chance that a frame is lost on a link'),
  duplicate: optional(share, 'chance that a frame arrives twice'),
  reorder: optional(share, 'chance that a frame is overtaken by later ones'),
});

const clientCertificate = optional(oneOf('no', 'asked', 'required'), 'whether a client must show its certificate');
const certificate = optional(serverCertificate, 'what the server shows: good unless told otherwise');

const auth = object({
  scheme: required(oneOf('basic', 'digest'), 'how a client proves who it is'),
  user: required(text, 'name that is let in'),
  password: required(text, 'its password'),
});
const provisioning: Reader<ProvisioningSetup> = refined(
  object({
    host: required(text, 'name of the server'),
    protocol: optional(oneOf('https', 'http', 'tftp'), 'https unless told otherwise'),
    clientCertificate,
    certificate,
    auth: optional(auth, 'whom it lets in by password; anyone unless told otherwise'),
    md5: optional(oneOf('right', 'wrong'), 'whether each file has a companion with its checksum; none unless told otherwise'),
    files: optional(record(values), 'settings by name of the file, such as algop8180g2.conf, beside what stands with the devices'),
  }),
  ({ protocol = 'https', files, ...rest }) => ({ ...rest, protocol, files: files ?? new Map() }),
);

const servers = object({
  dhcp: optional(
    object({
      option66: optional(text, 'provisioning server'),
      option150: optional(text, 'provisioning server'),
      option160: optional(text, 'provisioning server'),
    }),
    'gives addresses, and tells where the other servers are',
  ),
  ntp: optional(object({}), 'tells the time'),
  provisioning: optional(provisioning, 'a server with the configuration files of the devices'),
  sip: optional(
    object({
      domain: required(text, 'SIP domain, and name of the server'),
      transport: required(oneOf('tls', 'udp'), 'between server, devices and callers'),
      clientCertificate,
      certificate,
      users: required(record(text), 'password by user name; the name of a group stands for that of each of its devices'),
    }),
    'a registrar and proxy',
  ),
});

const image: Reader<ImageSetup> = refined(objectAnd({ settings: optional(values, 'set by the installer') }, fileSource), (value) => ({
  settings: value.known.settings ?? new Map(),
  files: value.others,
}));

const device: Reader<WrittenDevice> = refined(
  object({
    count: optional(integer(1, MOST_OF_A_GROUP), 'a group of so many: names and MACs count up'),
    board: required(text, 'the model, such as 8180-g2; "belfry boards" lists them'),
    firmware: optional(text, "the version it runs; the board's newest unless told otherwise"),
    mac: required(mac, '12 hex digits in quotes; of a group, those of the first'),
    made: optional(instant, 'when the factory made it; a year before the start unless told otherwise'),
    rtc: optional(instant, 'what its real-time clock shows at the start; it has none, and boots in 1970, unless told otherwise'),
    image: optional(image, 'what factory and installer left on the flash: files by path, and settings'),
    provisioned: optional(values, 'settings that the provisioning server answers with; {name} is the name of the device'),
  }),
  ({ image: left, provisioned, count, ...rest }) => ({
    ...rest,
    ...(count === undefined ? {} : { count }),
    image: left ?? { settings: new Map(), files: new Map() },
    provisioned: provisioned ?? new Map(),
  }),
);

const caller = object({
  srtp: required(oneOf('standard', 'optional', 'none'), 'whether its audio must be, may be or is not encrypted'),
  sends: required(object({ tone: required(frequency, 'such as 1000Hz') }), 'what it says'),
});

const scenario = object({
  belfry: required(integer(1, 1), 'version of this form: 1'),
  name: required(text, 'in a few words'),
  about: optional(text, 'what happens, in a sentence'),
  start: required(instant, "the servers' wall clock when the run begins"),
  end: required(duration, 'then every device is shut down in order'),
  lan: optional(lan, 'faults of every link, in both directions'),
  servers: required(servers, 'what there is in the network'),
  devices: required(record(device, hostName), 'the devices, by name'),
  callers: optional(record(caller, hostName), 'who pages, by name'),
  steps: required(list(step), 'what happens'),
  expect: required(list(expectation), 'what must have happened, and what must not'),
});

/** JSON Schema (draft 2020-12) of the YAML form, for editors. */
export const scenarioSchema: JsonSchema = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  title: 'Belfry scenario',
  ...scenario.schema,
};

/** Reads a scenario, with values of the command line in place of its own. All problems are told at once, up to a limit. */
export function decodeScenario(yaml: string, overrides: readonly Override[] = []): Result<Scenario, readonly Problem[]> {
  const lines = new LineCounter();
  const document = parseDocument(yaml, { lineCounter: lines, version: '1.2', prettyErrors: false });
  const at = (offset: number): string => {
    const { line, col } = lines.linePos(offset);
    return `${line}:${col}`;
  };
  const broken = document.errors[0];
  if (broken) return err([{ place: at(broken.pos[0]), path: '', message: `not YAML: ${broken.message}` }]);
  const applied = applyOverrides(document, overrides);
  if (!applied.ok) return err([{ place: `--set ${applied.path}`, path: '', message: applied.message }]);
  const problems: Problem[] = [];
  const place = (node: Node | null): string => (node && applied.origins.get(node)) ?? at(node?.range?.[0] ?? 0);
  const source = new Source(document.contents, '', { place, problems });
  const value = scenario.read(source);
  if (!value) return err(problems);
  const { belfry: _version, lan: links, callers, devices: written, ...rest } = value;
  const report: ReportProblem = (path, message) =>
    void problems.push({ place: place(nodeAt(document, path)), path: path.join('.'), message });
  const read: Scenario = { ...rest, ...expandGroups(written, rest.servers, report), lan: links ?? {}, callers: callers ?? new Map() };
  crossCheck(read, report);
  return problems.length > 0 ? err(problems) : ok(read);
}

const nodeAt = (document: ReturnType<typeof parseDocument>, path: readonly (string | number)[]): Node | null =>
  (document.getIn(path, true) as Node | undefined) ?? null;

/** One line for people: `secure-page.yaml:12:5: devices.lobby.mac: …`; for a value of the command line, the option in place of a place. */
export function problemText(file: string, { place, path, message }: Problem): string {
  const option = place.startsWith('--');
  const where = path === '' || place.endsWith(` ${path}`) ? '' : `${path}: `;
  return `${option ? place : `${file}:${place}`}: ${where}${message}`;
}
