/** Part of the vendor's SDK that the page uses. The SDK has no types. Source: its docs/ribbon-webrtc-doc.md. */
interface KandyClient {
  readonly call: {
    /** Names of the states, such as `CONNECTED: 'Connected'`. */
    readonly states: Readonly<Record<'INITIATING' | 'RINGING' | 'CONNECTED' | 'CANCELLED' | 'ENDED', string>>;
    /** The names of the states of the media connection, such as `FAILED: 'failed'`. */
    readonly mediaConnectionStates: Readonly<Record<'FAILED', string>>;
    makeAnonymous(
      callee: string,
      credentials: Readonly<Record<string, string>>,
      callOptions: { readonly from: string; readonly audio: boolean; readonly video: boolean },
    ): string;
    end(callId: string): void;
    getById(callId: string):
      | {
          readonly state: string;
          readonly mediaConnectionState?: string;
          readonly localTracks: readonly string[];
        }
      | undefined;
  };
  readonly media: {
    getTrackById(trackId: string): { readonly isLocal: boolean } | undefined;
    renderTracks(trackIds: readonly string[], cssSelector: string): void;
    removeTracks(trackIds: readonly string[], cssSelector: string): void;
    muteTracks(trackIds: readonly string[]): void;
    unmuteTracks(trackIds: readonly string[]): void;
  };
  on(event: string, listener: (params: KandyEvent) => void): void;
}

interface KandyEvent {
  readonly callId?: string;
  readonly trackIds?: readonly string[];
  readonly error?: { readonly code?: string | number; readonly message?: string };
  readonly transition?: { readonly statusCode?: number };
}

interface KandyLogEntry {
  readonly messages: readonly unknown[];
}

interface Window {
  /** Undefined if the script could not be loaded. */
  readonly Kandy?: { create(config: object): KandyClient };
}
