/** dnsmasq, nginx and Kamailio in the namespace of a cable: a site's network, as the kernel of this machine has it. */
import { execFileSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { writePem } from '../../core/certs/pem.codec.js';
import type { TestPki } from '../support/test-pki.js';
import { type Cable, until } from './tap.js';

export interface Site {
  cable: Cable;
  /** Where configurations and logs go; it must exist. */
  folder: string;
  /** The kernel's on the cable, with a /24 around it; every server listens there. */
  address: string;
  /** One name for all servers: that of their certificate, and the SIP domain. */
  name: string;
  pki: TestPki;
  /** What nginx serves, by file name. */
  files: Readonly<Record<string, string>>;
  user: string;
  password: string;
}

/** What each server has written so far. */
export interface Logs {
  dnsmasq(): string;
  nginx(): string;
  kamailio(): string;
}

/** Returns once all three listen. nginx and Kamailio require a client certificate under the root of `pki`. */
export async function startServers(site: Site): Promise<Logs> {
  writePki(site);
  mkdirSync(`${site.folder}/www`);
  for (const [name, text] of Object.entries(site.files)) writeFileSync(`${site.folder}/www/${name}`, text);
  const file = (name: string, text: string): string => {
    writeFileSync(`${site.folder}/${name}`, text);
    return `${site.folder}/${name}`;
  };
  const dnsmasq = await start(site, 53, 'dnsmasq', ['--keep-in-foreground', `--conf-file=${file('dnsmasq.conf', dnsmasqConf(site))}`]);
  const nginx = await start(site, 443, 'nginx', ['-e', 'stderr', '-p', site.folder, '-c', file('nginx.conf', nginxConf(site))]);
  file('tls.cfg', kamailioTls(site));
  const kamailioArgs = ['-DD', '-E', '-m', '64', '-M', '8', '-Y', site.folder, '-f', file('kamailio.cfg', kamailioConf(site))];
  const kamailio = await start(site, 5061, 'kamailio', kamailioArgs);
  return { dnsmasq, nginx, kamailio };
}

/** The server's log so far, once it listens on the TCP port. */
async function start({ cable, folder }: Site, port: number, command: string, args: readonly string[]): Promise<() => string> {
  const path = `${folder}/${command}.log`;
  const file = openSync(path, 'a');
  const child = cable.spawn(command, args, ['ignore', file, file]);
  closeSync(file);
  const log = (): string => readFileSync(path, 'utf8');
  await until(() => {
    if (child.exitCode !== null) throw new Error(`${command} ended: ${log()}`);
    return execFileSync('ip', ['netns', 'exec', cable.name, 'ss', '-Hltn', 'sport', '=', `:${port}`], { encoding: 'utf8' }) !== '';
  }, 20);
  return log;
}

function writePki({ folder, pki }: Site): void {
  const write = (name: string, ...blocks: string[]): void => writeFileSync(`${folder}/${name}`, blocks.join(''), { mode: 0o600 });
  write('server.pem', ...pki.server.chain.map((der) => writePem('CERTIFICATE', der)));
  write('server.key', writePem('PRIVATE KEY', pki.pkcs8.server));
  write('root.pem', writePem('CERTIFICATE', pki.root));
}

const dnsmasqConf = ({ folder, address, name }: Site): string => `
no-resolv
no-hosts
no-ping
user=root
pid-file=
log-facility=-
listen-address=${address}
bind-interfaces
dhcp-range=${address.replace(/\d+$/, '50')},${address.replace(/\d+$/, '60')},10m
dhcp-authoritative
dhcp-leasefile=${folder}/leases
dhcp-option-force=66,https://${name}/
host-record=${name},${address}
srv-host=_sips._tcp.${name},${name},5061,1,1
`;

/** The name in the client's certificate is the last field of a line of the log. */
const nginxConf = ({ folder, address, name }: Site): string => `
daemon off;
user root;
worker_processes 1;
pid ${folder}/nginx.pid;
error_log stderr notice;
events { worker_connections 64; }
http {
  map $ssl_client_s_dn $cn { default -; ~CN=(?<x>[^,]+) $x; }
  log_format belfry '"$request" $status $body_bytes_sent $ssl_protocol $ssl_client_verify CN=$cn';
  access_log /dev/stdout belfry;
  client_body_temp_path ${folder}/t1; proxy_temp_path ${folder}/t2; fastcgi_temp_path ${folder}/t3;
  uwsgi_temp_path ${folder}/t4; scgi_temp_path ${folder}/t5;
  server {
    listen ${address}:443 ssl;
    server_name ${name};
    root ${folder}/www;
    ssl_certificate ${folder}/server.pem;
    ssl_certificate_key ${folder}/server.key;
    ssl_protocols TLSv1.2 TLSv1.3;
    ssl_client_certificate ${folder}/root.pem;
    ssl_verify_client on;
    ssl_verify_depth 4;
  }
}
`;

/** The device's chain is complete but for the root, which is all that the server knows. */
const kamailioTls = ({ folder }: Site): string => `
[server:default]
method = TLSv1.2+
verify_certificate = yes
require_certificate = yes
verify_depth = 4
certificate = ${folder}/server.pem
private_key = ${folder}/server.key
ca_list = ${folder}/root.pem
[client:default]
method = TLSv1.2+
verify_certificate = yes
require_certificate = yes
ca_list = ${folder}/root.pem
`;

/** A registrar for one account. What the namespace does not hold is not sent to. */
const kamailioConf = ({ folder, address, name, user, password }: Site): string => `#!KAMAILIO
debug=2
log_stderror=yes
children=1
tcp_children=2
auto_aliases=no
alias="${name}"
dns=no
rev_dns=no
use_dns_cache=off
enable_tls=yes
listen=tls:${address}:5061
loadmodule "tls.so"
loadmodule "sl.so"
loadmodule "pv.so"
loadmodule "xlog.so"
loadmodule "usrloc.so"
loadmodule "registrar.so"
loadmodule "auth.so"
modparam("tls", "config", "${folder}/tls.cfg")
modparam("usrloc", "db_mode", 0)
request_route {
  xlog("L_NOTICE", "IN $rm $pr verified=$tls_peer_verified CN=$tls_peer_subject_cn expires=$hdr(Expires)\\n");
  if (method != "REGISTER") { sl_send_reply("405", "Registrar only"); exit; }
  if (!pv_www_authenticate("${name}", "${password}", "0") || $au != "${user}") { www_challenge("${name}", "1"); exit; }
  consume_credentials();
  if (!save("location")) { sl_reply_error(); exit; }
  xlog("L_NOTICE", "SAVED $tU CN=$tls_peer_subject_cn expires=$hdr(Expires)\\n");
}
onsend_route { if (!(to_ip == ${address.replace(/\d+$/, '0')}/24)) { xlog("L_NOTICE", "NOT SENT to $sndto(ip)\\n"); drop; } }
`;
