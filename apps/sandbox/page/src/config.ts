import type { GatewayAddress } from './phone/kandy-phone.ts';

/** Destination that the visitor can choose. */
export interface DestinationChoice {
  readonly id: string;
  readonly title: string;
  readonly about: string;
}

/** Configuration of the page (`GET /sandbox/config.json`, see the sandbox's README). */
export interface PageConfig {
  readonly edge: string;
  readonly gateway: GatewayAddress;
  readonly control: string;
  readonly telemetry: string;
  readonly destinations: readonly DestinationChoice[];
}

/** Fetches the configuration from the page's own origin. */
export async function loadConfig(): Promise<PageConfig> {
  const response = await fetch('/sandbox/config.json');
  if (!response.ok) throw new Error(`no configuration: ${response.status}`);
  return (await response.json()) as PageConfig;
}
