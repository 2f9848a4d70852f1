import { type ChannelCredentials, type ChannelOptions, Client as GrpcClient, Metadata } from '@grpc/grpc-js';
import type { ClientInterceptor } from './client-call.ts';

/** Options of {@link connect}. */
export interface ConnectOptions {
  /** Target in gRPC syntax, such as `localhost:7400`, `dns:///callpass:7400` or `unix:/run/callpass.sock`. */
  readonly address: string;
  /** Channel credentials. No default: use `credentials.createInsecure()` for plain text. */
  readonly credentials: ChannelCredentials;
  /** Channel options of grpc-js. */
  readonly channelOptions?: ChannelOptions;
  /** Interceptors, the first outermost. Default: none. */
  readonly interceptors?: readonly ClientInterceptor[];
  /** Time limit of calls that set none, in milliseconds. Default: 10,000. Infinity: none. */
  readonly defaultDeadlineMs?: number;
}

/** Channel that several clients can share. It connects on the first call and reconnects by itself. */
export interface Connection {
  readonly grpcClient: GrpcClient;
  readonly interceptors: readonly ClientInterceptor[];
  readonly defaultDeadlineMs: number;
  /** Closes the channel. Open calls continue, new calls fail. */
  close(): void;
}

/** Creates a channel for {@link createClient}. Does no I/O before the first call. */
export function connect(options: ConnectOptions): Connection {
  const grpcClient = new GrpcClient(options.address, options.credentials, options.channelOptions ?? {});
  return {
    grpcClient,
    interceptors: options.interceptors ?? [],
    defaultDeadlineMs: options.defaultDeadlineMs ?? 10_000,
    close: () => grpcClient.close(),
  };
}

/** Copies metadata, so that interceptors may change it. Undefined gives empty metadata. */
export function ownMetadata(metadata: Metadata | undefined): Metadata {
  return metadata === undefined ? new Metadata() : metadata.clone();
}
