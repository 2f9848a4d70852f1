export { MessageWriter, WIRE } from './message-writer.ts';
