/** What no field can tell alone: names that must be those of something else in the scenario. */
import { boards } from '../../boards/index.js';
import { isEventName } from './event-fields.js';
import { didYouMean } from './near-miss.js';
import type { ReportProblem } from './reader.js';
import { type Action, type Scenario, SERVER_NAMES, type Step, unitsOf } from './scenario.js';

export function crossCheck(scenario: Scenario, report: ReportProblem): void {
  checkNames(scenario, report);
  checkDevices(scenario, report);
  checkProvisioning(scenario, report);
  for (const [i, step] of scenario.steps.entries()) checkStep(scenario, step, (path, message) => report(['steps', i, ...path], message));
  for (const [i, { device, server, ...expected }] of scenario.expect.entries()) {
    if (device !== undefined) known(report, ['expect', i, 'device'], 'device', device, deviceNames(scenario));
    if (expected.type === 'heard') continue;
    if (device !== undefined && server !== undefined) report(['expect', i, 'server'], 'an event is of a device or of a server');
    if (server === undefined && !isEventName(expected.event)) report(['expect', i], `server is missing: whose ${expected.event} it is`);
    if (server !== undefined && isEventName(expected.event)) report(['expect', i, 'server'], `${expected.event} is an event of a device`);
  }
}

function known(report: ReportProblem, path: readonly (string | number)[], what: string, name: string, names: readonly string[]): void {
  if (!names.includes(name)) report(path, `there is no ${what} "${name}"${didYouMean(name, names)}`);
}

/** As they are written: groups, and devices that are of no group. */
function deviceNames({ devices, groups }: Scenario): string[] {
  const grouped = new Set([...groups.values()].flat());
  return [...groups.keys(), ...[...devices.keys()].filter((name) => !grouped.has(name))];
}

/** Every host of the network has a name and a MAC of its own. */
function checkNames(scenario: Scenario, report: ReportProblem): void {
  const { devices, callers } = scenario;
  const macs = new Map<string, string>();
  for (const written of deviceNames(scenario)) {
    for (const name of unitsOf(scenario, written)) {
      const { mac } = devices.get(name)!;
      const other = macs.get(mac);
      if (other !== undefined && other !== written) report(['devices', written, 'mac'], `"${other}" has the same MAC`);
      macs.set(mac, written);
    }
  }
  for (const name of [...devices.keys(), ...callers.keys()]) {
    if ((SERVER_NAMES as readonly string[]).includes(name))
      report([devices.has(name) ? 'devices' : 'callers', name], `"${name}" is the name of a server`);
  }
  for (const name of callers.keys()) if (devices.has(name)) report(['callers', name], `"${name}" is a device already`);
}

function checkDevices(scenario: Scenario, report: ReportProblem): void {
  for (const name of deviceNames(scenario)) {
    const { board } = scenario.devices.get(unitsOf(scenario, name)[0]!)!;
    known(report, ['devices', name, 'board'], 'board', board, [...boards.keys()]);
  }
}

function checkProvisioning({ servers }: Scenario, report: ReportProblem): void {
  const { provisioning } = servers;
  if (!provisioning || provisioning.protocol === 'https') return;
  for (const field of ['certificate', 'clientCertificate'] as const)
    if (provisioning[field] !== undefined) report(['servers', 'provisioning', field], `${provisioning.protocol} has no certificates`);
  if (provisioning.protocol === 'tftp' && provisioning.auth) report(['servers', 'provisioning', 'auth'], 'tftp has no passwords');
}

function checkStep(scenario: Scenario, { device, server, when, action, over }: Step, report: ReportProblem): void {
  const { callers, groups, servers } = scenario;
  const names = deviceNames(scenario);
  if (device !== undefined) known(report, ['device'], 'device', device, names);
  const group = device !== undefined && groups.has(device);
  if (over > 0 && (!group || when.type !== 'at')) report(['over'], 'over is for a group, at a time');
  if (group && server !== undefined && when.type !== 'at') report(['device'], 'a server waits for one device, not for a group');
  if (server !== undefined && server !== 'dns' && !servers[server])
    report(['server'], `there is no server ${server}: servers.${server} is missing`);
  if (action.type === 'page') known(report, ['page', 'from'], 'caller', action.from, [...callers.keys()]);
  if (action.type === 'cut')
    known(report, ['cut', 'link'], 'device, caller or server', action.link, [...names, ...callers.keys(), ...SERVER_NAMES]);
  if (action.type === 'certificate' && server !== 'provisioning' && server !== 'sip')
    report(['server'], `a certificate is shown by provisioning or sip, not by ${server}`);
  if (action.type === 'serves') checkServed(scenario, action, server, report);
  if ((action.type === 'page' || action.type === 'check-sync') && !servers.sip)
    report([action.type === 'page' ? 'page' : 'notify'], 'this needs a SIP server: servers.sip is missing');
}

function checkServed(
  scenario: Scenario,
  { files }: Extract<Action, { type: 'serves' }>,
  server: Step['server'],
  report: ReportProblem,
): void {
  if (server !== 'provisioning') report(['server'], `files are served by provisioning, not by ${server}`);
  const names = deviceNames(scenario);
  for (const name of files.keys()) if (!name.includes('.')) known(report, ['serves', name], 'device, group or file', name, names);
}
