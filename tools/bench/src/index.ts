// HTTP/2 by frames, also for peers in end-to-end tests that keep to no rule.
export { FrameSocket, type FrameSocketEvents, type StreamFrame } from './load/frame-socket.ts';
export { FLAG, frame, FRAME } from './load/http2-frames.ts';
export { RequestFrames } from './load/load-connection.ts';
