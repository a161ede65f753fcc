export { type FlashImage, type FlashImageOptions, openFlashImage, type PlacedPartition } from './flash.js';
export {
  createNodeHal,
  createNodeHost,
  type NodeHal,
  type NodeHalHooks,
  type NodeHalOptions,
  type NodeHost,
  type NodeHostOptions,
} from './host.js';
export { nodePlatform } from './platform.js';
