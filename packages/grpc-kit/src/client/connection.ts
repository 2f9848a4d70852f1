import { type ChannelCredentials, type ChannelOptions, Client as GrpcClient, Metadata } from '@grpc/grpc-js';
import type { ClientInterceptor } from './client-call.ts';

/** How to reach a server, and what goes round each call to it. */
export interface ConnectOptions {
  /** A target of gRPC, such as `localhost:7400`, `dns:///callpass:7400` or `unix:/run/callpass.sock`. */
  readonly address: string;
  /** No default: plain text is asked for with `credentials.createInsecure()`. */
  readonly credentials: ChannelCredentials;
  /** Options of grpc-js for the channel. */
  readonly channelOptions?: ChannelOptions;
  /** The first is outermost. None by default. */
  readonly interceptors?: readonly ClientInterceptor[];
  /** Time limit of a call that sets none itself: 10,000 ms by default, Infinity for none. */
  readonly defaultDeadlineMs?: number;
}

/** A channel that several clients share. It connects on the first call and reconnects by itself. */
export interface Connection {
  readonly grpcClient: GrpcClient;
  readonly interceptors: readonly ClientInterceptor[];
  readonly defaultDeadlineMs: number;
  /** Ends the channel; calls under way finish, new ones fail. */
  close(): void;
}

/** Opens a channel for {@link createClient}. Does no I/O before the first call. */
export function connect(options: ConnectOptions): Connection {
  const grpcClient = new GrpcClient(options.address, options.credentials, options.channelOptions ?? {});
  return {
    grpcClient,
    interceptors: options.interceptors ?? [],
    defaultDeadlineMs: options.defaultDeadlineMs ?? 10_000,
    close: () => grpcClient.close(),
  };
}

/** A copy that interceptors may change, or empty metadata. */
export function ownMetadata(metadata: Metadata | undefined): Metadata {
  return metadata === undefined ? new Metadata() : metadata.clone();
}
