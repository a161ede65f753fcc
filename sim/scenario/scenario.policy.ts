/** What no field can tell alone: names that must be those of something else in the scenario. */
import { boards } from '../../boards/index.js';
import { didYouMean } from './near-miss.js';
import type { Scenario } from './scenario.js';

/** Names of the servers as hosts of the simulated network. */
const SERVERS = ['dhcp', 'dns', 'ntp', 'provisioning', 'sip'] as const;

export type ReportProblem = (path: readonly (string | number)[], message: string) => void;

export function crossCheck(scenario: Scenario, report: ReportProblem): void {
  const { devices, callers, servers } = scenario;
  const known = (path: readonly (string | number)[], what: string, name: string, names: Iterable<string>): void => {
    const all = [...names];
    if (!all.includes(name)) report(path, `there is no ${what} "${name}"${didYouMean(name, all)}`);
  };
  checkNames(scenario, report);
  for (const [name, { board }] of devices) known(['devices', name, 'board'], 'board', board, boards.keys());
  for (const [i, { device, action }] of scenario.steps.entries()) {
    known(['steps', i, 'device'], 'device', device, devices.keys());
    if (action.type === 'page') known(['steps', i, 'page', 'from'], 'caller', action.from, callers.keys());
    if (action.type === 'page' && !servers.sip) report(['steps', i, 'page'], 'a page needs a SIP server: servers.sip is missing');
    if (action.type === 'cut')
      known(['steps', i, 'cut'], 'device, caller or server', action.link, [...devices.keys(), ...callers.keys(), ...SERVERS]);
  }
  for (const [i, expected] of scenario.expect.entries()) {
    if (expected.device !== undefined) known(['expect', i, 'device'], 'device', expected.device, devices.keys());
  }
}

/** Every host of the network has a name and a MAC of its own. */
function checkNames({ devices, callers }: Scenario, report: ReportProblem): void {
  const macs = new Map<string, string>();
  for (const [name, { mac }] of devices) {
    const other = macs.get(mac);
    if (other !== undefined) report(['devices', name, 'mac'], `"${other}" has the same MAC`);
    macs.set(mac, name);
  }
  for (const name of [...devices.keys(), ...callers.keys()]) {
    if ((SERVERS as readonly string[]).includes(name))
      report([devices.has(name) ? 'devices' : 'callers', name], `"${name}" is the name of a server`);
  }
  for (const name of callers.keys()) if (devices.has(name)) report(['callers', name], `"${name}" is a device already`);
}
