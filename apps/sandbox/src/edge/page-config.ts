/** Configuration of the page, served as `/sandbox/config.json`. */
export interface PageConfig {
  /** The page's own origin. */
  readonly edge: string;
  readonly gateway: {
    readonly host: string;
    readonly port: number;
    readonly http: 'http';
    readonly websocket: 'ws';
  };
  /** Base of the sandbox's control. */
  readonly control: string;
  /** Base of the OTLP receiver. */
  readonly telemetry: string;
  readonly destinations: readonly { readonly id: string; readonly title: string; readonly about: string }[];
}

/** Options of the edge's process, as JSON in its only argument. */
export interface PageOptions {
  /** Static files. */
  readonly folder: string;
  readonly config: Omit<PageConfig, 'edge'>;
}

/** Content security policy of the page: itself, the gateway and the receiver of traces. */
export function contentSecurityPolicy({ gateway, telemetry }: PageOptions['config']): string {
  const gatewayHost = `${gateway.host}:${gateway.port}`;
  return [
    "default-src 'self'",
    `connect-src 'self' http://${gatewayHost} ws://${gatewayHost} ${telemetry}`,
    "media-src 'self' blob: mediastream:",
    "img-src 'self' data:",
    "style-src 'self' 'unsafe-inline'",
    "object-src 'none'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
}
