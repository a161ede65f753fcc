/** Decorators of ports: each is a port around a port. */
export { captureFrames, type FrameCapture, FrameRecorder } from './capture-frames.js';
export { captureNet, type NetCapture } from './capture-net.js';
export { type CapturedConnection, LiveCapture } from './live-capture.engine.js';
export { type Capture, type CapturedFrame, encodeCapture, type UnixMicros } from './pcapng.codec.js';
export { type ClearText, tapTls } from './tap-tls.js';
