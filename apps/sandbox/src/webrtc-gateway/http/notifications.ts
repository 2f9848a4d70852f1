import websocket from '@fastify/websocket';
import type { FastifyInstance } from 'fastify';
import type { Gateway } from '../gateway.ts';
import type { Listener } from '../protocol/channel.ts';

const MAX_FRAME_BYTES = 4096;
const NORMAL_CLOSURE = 1000;
/** A client that reads nothing is let go rather than kept in memory. */
const MAX_BUFFERED_BYTES = 1_000_000;

/** The notification channels: one text frame for each notification, and what the client sends needs no answer but one. */
export async function addNotifications(app: FastifyInstance, gateway: Gateway): Promise<void> {
  await app.register(websocket, { options: { maxPayload: MAX_FRAME_BYTES } });
  app.get<{ Params: { channel: string } }>(
    '/websocket/:channel',
    {
      websocket: true,
      preValidation: async (request, reply) => {
        if (gateway.channel(request.params.channel) === undefined) await reply.code(404).send();
      },
    },
    (socket, request) => {
      const channel = gateway.channel(request.params.channel);
      if (channel === undefined) return socket.close(NORMAL_CLOSURE);
      const listener: Listener = {
        send(text) {
          if (socket.bufferedAmount > MAX_BUFFERED_BYTES) socket.terminate();
          else socket.send(text);
        },
        dismiss: () => socket.close(NORMAL_CLOSURE),
      };
      // A frame that is too large, not UTF-8, broken: the socket closes by itself, the channel waits for the next.
      socket.on('error', () => undefined);
      socket.on('close', () => channel.detach(listener));
      socket.on('message', (data: Buffer, isBinary: boolean) => {
        if (!isBinary && isConnectionCheck(data.toString())) socket.send('{"connAck":{}}');
      });
      channel.attach(listener);
    },
  );
}

function isConnectionCheck(text: string): boolean {
  try {
    const message: unknown = JSON.parse(text);
    return typeof message === 'object' && message !== null && 'connCheck' in message;
  } catch {
    return false;
  }
}
