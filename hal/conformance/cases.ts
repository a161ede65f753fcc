/** Every case, port by port in the order in which a porter writes them. */
import type { ConformanceCase } from './bench.js';
import { audioCases } from './cases/audio.cases.js';
import { boardCases } from './cases/board.cases.js';
import { clockCases } from './cases/clock.cases.js';
import { cryptoCases } from './cases/crypto.cases.js';
import { dnsCases } from './cases/dns.cases.js';
import { flashCases } from './cases/flash.cases.js';
import { tcpCases } from './cases/tcp.cases.js';
import { tlsCases } from './cases/tls.cases.js';
import { udpCases } from './cases/udp.cases.js';

export const conformanceCases: readonly ConformanceCase[] = [
  ...clockCases,
  ...boardCases,
  ...cryptoCases,
  ...flashCases,
  ...udpCases,
  ...dnsCases,
  ...tcpCases,
  ...tlsCases,
  ...audioCases,
];
