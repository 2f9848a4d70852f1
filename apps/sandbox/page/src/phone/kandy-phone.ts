import type { CallParts, PhoneCall, PhoneEvent } from '../call/controller.ts';
import type { Grant } from '../call/credentials.ts';
import { codeOfError, codeOfLog } from './refusal-codes.ts';

/** Where the WebRTC gateway is. */
export interface GatewayAddress {
  readonly host: string;
  readonly port: number;
  readonly http: string;
  readonly websocket: string;
}

/** The SDK stays silent where the gateway's answer is not what it expects; then the page does not wait for ever. */
const ANSWER_LIMIT_MS = 30_000;

const AUDIO = '#call-audio';

/** The vendor's SDK as a phone. One client serves all calls of the page. */
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
      // The SDK writes tokens into its log, so nothing of it goes anywhere; only the refusal's code is taken out.
      logs: {
        logLevel: 'debug',
        handler: ({ messages }: KandyLogEntry) => current?.hearCode(codeOfLog(messages)),
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

/** A call from `makeAnonymous` to its end. */
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
      // What connects after all would be heard while the page says that it did not.
      this.hangUp();
    }, ANSWER_LIMIT_MS);
    this.id = kandy.call.makeAnonymous(grant.callee, grant.credentials, {
      ...grant.callOptions,
      audio: true,
      video: false,
    });
  }

  hearCode(code: number | undefined): void {
    this.#code ??= code;
  }

  changed({ error, transition }: KandyEvent): void {
    const { INITIATING, RINGING, CONNECTED, ENDED, CANCELLED } = this.#kandy.call.states;
    const state = this.#kandy.call.getById(this.id)?.state;
    if (this.#endWhenPossible && state !== INITIATING && state !== ENDED) this.hangUp();
    if (state === RINGING) this.#tell({ type: 'ringing' });
    if (state === CONNECTED) this.#tell({ type: 'connected' });
    if (state !== ENDED && state !== CANCELLED) return;
    if (error) this.fail(error.code ?? transition?.statusCode, error.message);
    else this.#finish({ type: 'ended' });
  }

  fail(code: string | number | undefined, message: string | undefined): void {
    if (code === 'call:3' || code === 'call:4') this.#finish({ type: 'no-microphone' });
    else this.#finish({ type: 'failed', code: this.#code ?? codeOfError(code, message) });
  }

  /** The SDK can end a call only once the gateway knows it. */
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

  #tell(event: PhoneEvent): void {
    clearTimeout(this.#limit);
    if (!this.#over) this.#report(event);
  }

  #finish(event: PhoneEvent): void {
    this.#tell(event);
    this.#over = true;
  }
}
