import type { CallParts, PhoneCall, PhoneEvent } from '../call/controller.ts';
import type { Grant } from '../call/credentials.ts';
import { codeOfError, codeOfLog } from './refusal-codes.ts';

/** Address of the WebRTC gateway. */
export interface GatewayAddress {
  readonly host: string;
  readonly port: number;
  readonly http: string;
  readonly websocket: string;
}

/** Time limit for the SDK, which reports nothing after an unexpected response of the gateway. */
const ANSWER_LIMIT_MS = 30_000;

const AUDIO = '#call-audio';

/** Creates a phone with the vendor's SDK. One client serves all calls of the page. */
export function createKandyPhone(gateway: GatewayAddress): CallParts['placeCall'] {
  let client: KandyClient | undefined;
  let current: OneCall | undefined;

  const start = (): KandyClient | undefined => {
    client ??= window.Kandy?.create({
      authentication: {
        subscription: { protocol: gateway.http, server: gateway.host, port: gateway.port, version: '1' },
        websocket: { protocol: gateway.websocket, server: gateway.host, port: gateway.port },
      },
      call: { defaultPeerConfig: { iceServers: [] } },
      // The SDK logs tokens, so its log is discarded; only the code of a refusal is read from it.
      logs: {
        logLevel: 'debug',
        handler: ({ messages }: KandyLogEntry) => current?.setCode(codeOfLog(messages)),
      },
    });
    return client;
  };

  const listen = (kandy: KandyClient): void => {
    const forCurrent = (event: KandyEvent, act: (call: OneCall) => void) => {
      if (current !== undefined && event.callId === current.id) act(current);
    };
    kandy.on('call:start', (event) => {
      forCurrent(event, (call) => {
        if (event.error) call.fail(event.error.code, event.error.message);
      });
    });
    kandy.on('call:stateChange', (event) => {
      forCurrent(event, (call) => {
        call.changed(event);
      });
    });
    kandy.on('call:tracksAdded', ({ trackIds = [] }) => {
      const remote = trackIds.filter((id) => kandy.media.getTrackById(id)?.isLocal === false);
      kandy.media.renderTracks(remote, AUDIO);
    });
    kandy.on('call:tracksRemoved', ({ trackIds = [] }) => {
      kandy.media.removeTracks(trackIds, AUDIO);
    });
  };

  return (grant, report) => {
    const fresh = client === undefined;
    const kandy = start();
    if (kandy === undefined) {
      report({ type: 'failed', code: undefined });
      return { hangUp: () => undefined, setMuted: () => undefined };
    }
    if (fresh) listen(kandy);
    current = new OneCall(kandy, grant, report);
    return current;
  };
}

/** Call from `makeAnonymous` to its end. */
class OneCall implements PhoneCall {
  readonly id: string;
  readonly #kandy: KandyClient;
  readonly #report: (event: PhoneEvent) => void;
  readonly #limit: ReturnType<typeof setTimeout>;
  #code: number | undefined;
  #over = false;
  #endWhenPossible = false;

  constructor(kandy: KandyClient, grant: Grant, report: (event: PhoneEvent) => void) {
    this.#kandy = kandy;
    this.#report = report;
    this.#limit = setTimeout(() => {
      this.#finish({ type: 'failed', code: undefined });
      // A call that connects later would be audible while the page shows a failure.
      this.hangUp();
    }, ANSWER_LIMIT_MS);
    this.id = kandy.call.makeAnonymous(grant.callee, grant.credentials, {
      ...grant.callOptions,
      audio: true,
      video: false,
    });
  }

  setCode(code: number | undefined): void {
    this.#code ??= code;
  }

  changed({ error, transition }: KandyEvent): void {
    const { INITIATING, RINGING, CONNECTED, ENDED, CANCELLED } = this.#kandy.call.states;
    const state = this.#kandy.call.getById(this.id)?.state;
    if (this.#endWhenPossible && state !== INITIATING && state !== ENDED) this.hangUp();
    if (state === RINGING) this.#reportEvent({ type: 'ringing' });
    if (state === CONNECTED) this.#reportEvent({ type: 'connected' });
    if (state !== ENDED && state !== CANCELLED) return;
    if (error) this.fail(error.code ?? transition?.statusCode, error.message);
    else this.#finish({ type: 'ended' });
  }

  fail(code: string | number | undefined, message: string | undefined): void {
    if (code === 'call:3' || code === 'call:4') this.#finish({ type: 'no-microphone' });
    else this.#finish({ type: 'failed', code: this.#code ?? codeOfError(code, message) });
  }

  /** Ends the call, or does so later: the SDK can end a call only after the gateway has accepted it. */
  hangUp(): void {
    const state = this.#kandy.call.getById(this.id)?.state;
    const { INITIATING, ENDED } = this.#kandy.call.states;
    this.#endWhenPossible = state === undefined || state === INITIATING;
    if (!this.#endWhenPossible && state !== ENDED) this.#kandy.call.end(this.id);
  }

  setMuted(muted: boolean): void {
    const tracks = this.#kandy.call.getById(this.id)?.localTracks ?? [];
    if (muted) this.#kandy.media.muteTracks(tracks);
    else this.#kandy.media.unmuteTracks(tracks);
  }

  #reportEvent(event: PhoneEvent): void {
    clearTimeout(this.#limit);
    if (!this.#over) this.#report(event);
  }

  #finish(event: PhoneEvent): void {
    this.#reportEvent(event);
    this.#over = true;
  }
}
