import type { GatewayAddress } from './phone/kandy-phone.ts';

/** A line that the visitor may choose. */
export interface DestinationChoice {
  readonly id: string;
  readonly title: string;
  readonly about: string;
}

/** What the page finds at run time (`GET /sandbox/config.json`, see the sandbox's README). */
export interface PageConfig {
  readonly edge: string;
  readonly gateway: GatewayAddress;
  readonly control: string;
  readonly telemetry: string;
  readonly destinations: readonly DestinationChoice[];
}

/** Fetches the configuration from where the page came from. */
export async function loadConfig(): Promise<PageConfig> {
  const response = await fetch('/sandbox/config.json');
  if (!response.ok) throw new Error(`no configuration: ${response.status}`);
  return (await response.json()) as PageConfig;
}
