/** The simulator: a world with one clock and one seed, a LAN, boards and the servers around them. */

export { ladderText } from './artefacts/ladder-text.js';
export type { Sound } from './artefacts/sound.js';
export { Timeline, type TimelineEvent } from './artefacts/timeline.js';
export { encodeWav } from './artefacts/wav.codec.js';
export type { FlashTrace } from './flash/flash-port.js';
export { NorFlash } from './flash/nor-flash.js';
export type { PowerCut } from './flash/power-cut.js';
export type { PlayedFrame } from './hal/audio.js';
export { type SimHal, type SimHalHooks, type SimHalOptions, simHal } from './hal/sim-hal.js';
export { Lan, type LanPlug, type LanPort } from './lan/lan.js';
export type { LinkFaults, LinkStats } from './lan/link.js';
export { type DhcpServerOptions, startDhcpServer } from './peers/dhcp-server.js';
export { type DnsServerOptions, startDnsServer } from './peers/dns-server.js';
export type { Peer, PeerHost } from './peers/peer-host.js';
export { type ProvisioningServerOptions, startProvisioningServer } from './peers/provisioning-server.js';
export { type SimPeerOptions, simPeerHost } from './peers/sim-peer-host.js';
export { type Caller, type CallerOptions, startCaller } from './peers/sip/caller.js';
export { type SipServerOptions, type SipTlsOptions, startSipServer } from './peers/sip/sip-server.js';
export { type SntpServerOptions, startSntpServer } from './peers/sntp-server.js';
export type { Verdict } from './scenario/judge.js';
export type { Problem } from './scenario/reader.js';
export { type RunOptions, runScenario, type ScenarioResult } from './scenario/runner.js';
export { decodeScenario, problemText, scenarioSchema } from './scenario/scenario.codec.js';
export type { Scenario } from './scenario/scenario.js';
export { Host, type HostOptions } from './world/host.js';
export type { Random } from './world/random.js';
export { World, WorldError, type WorldOptions } from './world/world.js';
