import type { ChannelOptions } from '@grpc/grpc-js';
import type { Settings } from '../settings/schema.ts';

/**
 * What the server allows a connection, as options of grpc-js, which adds the chance to the age by itself. What it has no
 * option for is in `guard-connections.ts`.
 */
export function connectionOptions({ connections, requests }: Settings): ChannelOptions {
  return {
    'grpc.max_receive_message_length': requests.maxMessageBytes,
    'grpc.max_send_message_length': -1,
    'grpc.max_connection_age_ms': connections.maxAge,
    'grpc.max_connection_age_grace_ms': connections.maxAgeGrace,
    'grpc.max_connection_idle_ms': connections.maxIdle,
    'grpc.keepalive_time_ms': connections.keepaliveInterval,
    'grpc.keepalive_timeout_ms': connections.keepaliveTimeout,
    'grpc.max_concurrent_streams': connections.maxConcurrentStreams,
    // Nobody reads it here, and it keeps a record of every connection and call.
    'grpc.enable_channelz': 0,
  };
}
