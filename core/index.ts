/** The firmware core: `createEndpoint` over a `Hal` of yours, and the types that it speaks. */
export type { RefusedPeer } from './certs/refused-peers.js';
export { DEFAULT_PORTS, type EndpointPorts } from './device/configuration.js';
export type { DeviceFile, DeviceFiles, FileVerdict } from './device/device-files.js';
export { createEndpoint, type Endpoint, type EndpointOptions } from './device/endpoint.js';
export { type Features, featuresOf } from './device/features.js';
export type { StatusLine } from './device/status.js';
export type { EndpointEvent, EventFields, EventName } from './kernel/events.js';
