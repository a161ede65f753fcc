/** Which server a device asks for its settings: what the settings say, what DHCP gave, what the command line put in its place. */
import { fromUtf8 } from '../../hal/base/bytes.js';
import { ok } from '../../hal/base/result.js';
import type { Lease, Result } from '../../hal/hal.js';
import { lackOf } from '../device/features.js';
import { formatUrl, inFolder, isIpAddress, parseUrl, type Url, withoutQuery, withoutSecrets } from '../http/url.js';
import type { Settings } from '../settings/settings.js';
import { refusal, type SettingRefusal } from '../settings/settings.policy.js';
import type { ProvisioningFailure } from './failure.js';

/** The vendor lists them in this order (RFC 2132 option 66, RFC 5859 option 150; 160 is the vendors' own). */
const DHCP_OPTIONS = [66, 160, 150] as const;

export type ServerChoice =
  /** `url` is the folder of the files; `from` says who named it. */
  | { type: 'server'; url: Url; from: string }
  /** Nobody named one, or provisioning is off. */
  | { type: 'none' }
  | { type: 'refused'; server: string; refusal: SettingRefusal }
  | { type: 'failed'; server: string; failure: ProvisioningFailure };

export interface ServerSources {
  settings: Settings;
  /** DHCP options as received. */
  options: Lease['options'];
  /** Takes the place of DHCP option 66. */
  override?: string;
}

export function chooseServer(sources: ServerSources): ServerChoice {
  const named = namedServer(sources);
  if (!named) return { type: 'none' };
  const { settings } = sources;
  const address = named.text.includes('://') ? named.text : `${settings.get('prov.download.method')}://${named.text}`;
  const server = withoutSecrets(address);
  const url = parseUrl(address);
  if (!url.ok) {
    const detail = `${named.from} names the server "${server}": ${url.error}`;
    return failed(server, detail, 'give a host, or an address such as https://prov.example.test/');
  }
  const { board, features } = settings.owner;
  const lack = url.value.scheme === 'https' ? lackOf(board, features.firmware, 'tls') : undefined;
  if (lack) {
    const problem = {
      detail: `${named.from} names ${server}, and ${lack.detail}`,
      mend: 'name a server without TLS, or use a board with TLS',
    };
    return { type: 'refused', server, refusal: refusal(settings, named.key, server, problem) };
  }
  if (named.network && settings.get('prov.download.method') === 'https' && url.value.scheme !== 'https') {
    // Whoever answers DHCP questions first would undo what the administrator asked for, and read the password.
    const mend = 'name an https server in the DHCP option, or set prov.download.method';
    return failed(server, `${named.from} names ${server}, and prov.download.method asks for https`, mend);
  }
  if (url.value.scheme === 'ftp') {
    // Its passwords go in clear, as files over TFTP do, and its second connection is what firewalls were made to stop.
    const mend = 'use https, or http or tftp within a network of your own';
    return failed(server, `${named.from} names ${server}: FTP is left out of this firmware`, mend);
  }
  const folder = folderOf(url.value, settings.text('prov.download.cfgpath'));
  if (!folder.ok) return failed(server, `prov.download.cfgpath: ${folder.error}`, 'give a path such as conf/lobby, without a host');
  return { type: 'server', url: folder.value, from: named.from };
}

interface Named {
  text: string;
  from: string;
  /** The setting that a refusal is about. */
  key: string;
  /** By DHCP, which anybody on the network can answer. */
  network: boolean;
}

function namedServer({ settings, options, override }: ServerSources): Named | undefined {
  const method = settings.get('prov.server.method');
  if (!settings.get('prov.use') || method === 'none') return undefined;
  if (method === 'static') {
    const text = settings.text('prov.server.static');
    return text === '' ? undefined : { text, from: 'prov.server.static', key: 'prov.server.static', network: false };
  }
  const key = 'prov.download.method';
  if (override !== undefined) return { text: override, from: 'the command line', key, network: false };
  for (const code of DHCP_OPTIONS) {
    const bytes = options.get(code);
    const text = bytes && optionText(code, bytes);
    if (text) return { text, from: `DHCP option ${code}`, key, network: true };
  }
  return undefined;
}

/** Text, some servers with a zero at its end; option 150 is a list of addresses (RFC 5859), of which some servers make text too. */
function optionText(code: number, bytes: Uint8Array): string | undefined {
  const text = fromUtf8(bytes).replace(/\0+$/, '').trim();
  const isText = text !== '' && [...text].every((c) => c > ' ' && c < '\x7f');
  if (code === 150 && bytes.length > 0 && bytes.length % 4 === 0 && !(isText && (text.includes('://') || isIpAddress(text)))) {
    return bytes.subarray(0, 4).join('.');
  }
  return isText ? text : undefined;
}

/** A path in the server's own address goes before the setting, which is for bare hosts. What people write there may be no path at all. */
function folderOf(url: Url, path: string): Result<Url, string> {
  const clean = path.replace(/^\/+|\/+$/g, '');
  const folder = withoutQuery(url);
  return folder.path === '/' && clean !== '' ? parseUrl(formatUrl(inFolder(folder, clean))) : ok(folder);
}

const failed = (server: string, detail: string, mend: string): ServerChoice => ({
  type: 'failed',
  server,
  failure: { stage: 'server', kind: 'unsupported', detail, mend },
});

/** The server as events name it. */
export const serverText = (choice: ServerChoice): string =>
  choice.type === 'server' ? formatUrl(choice.url) : choice.type === 'none' ? '' : choice.server;
