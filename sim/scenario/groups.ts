/** Groups of devices: what a scenario says once becomes as many devices, each with a name and a MAC of its own. */
import type { MacAddress } from '../../hal/hal.js';
import type { ReportProblem } from './reader.js';
import type { DeviceSetup, Scenario, ServersSetup, Values } from './scenario.js';

/** As the scenario has it: with `count`, a group. */
export interface WrittenDevice extends DeviceSetup {
  count?: number;
}

/** What the address pool of the simulated network has room for, and more than a run of a minute takes. */
export const MOST_OF_A_GROUP = 500;
const MAC_DIGITS = 12;

/** `unit` of 50 becomes `unit-01` to `unit-50`; a SIP user with the name of a group becomes one for each of its devices. */
export function expandGroups(
  written: ReadonlyMap<string, WrittenDevice>,
  servers: ServersSetup,
  report: ReportProblem,
): Pick<Scenario, 'devices' | 'groups' | 'servers'> {
  const devices = new Map<string, DeviceSetup>();
  const add = (place: string, name: string, setup: DeviceSetup): void => {
    if (devices.has(name)) report(['devices', place], `there is another device "${name}"`);
    devices.set(name, { ...setup, ...namedSettings(setup, name) });
  };
  const groups = new Map<string, readonly string[]>();
  for (const [name, { count, ...setup }] of written) {
    if (count === undefined) {
      add(name, name, setup);
      continue;
    }
    const units = Array.from({ length: count }, (_, i) => unitName(name, i, count));
    groups.set(name, units);
    for (const [i, unit] of units.entries()) add(name, unit, { ...setup, mac: countUp(setup.mac, i) });
  }
  const { sip } = servers;
  return { devices, groups, servers: sip ? { ...servers, sip: { ...sip, users: expandUsers(sip.users, groups) } } : servers };
}

const unitName = (group: string, index: number, count: number): string =>
  `${group}-${String(index + 1).padStart(String(count).length, '0')}`;

const namedSettings = ({ provisioned, image }: DeviceSetup, name: string): Pick<DeviceSetup, 'provisioned' | 'image'> => ({
  provisioned: named(provisioned, name),
  image: { ...image, settings: named(image.settings, name) },
});

const countUp = (mac: MacAddress, by: number): MacAddress =>
  (Number.parseInt(mac, 16) + by).toString(16).toUpperCase().padStart(MAC_DIGITS, '0').slice(-MAC_DIGITS);

/** With the name of the device in place of `{name}`. */
export const named = (values: Values, name: string): Values =>
  new Map(Array.from(values, ([key, value]) => [key, value.replaceAll('{name}', name)]));

const expandUsers = (users: Values, groups: Scenario['groups']): Values =>
  new Map(Array.from(users).flatMap(([user, password]) => (groups.get(user) ?? [user]).map((name) => [name, password] as const)));
