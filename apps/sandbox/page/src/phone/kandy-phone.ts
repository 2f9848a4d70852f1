import type { CallParts, PhoneCall, PhoneEvent } from '../call/controller.ts';
import type { Grant } from '../call/credentials.ts';
import type { GatewayStep, NoAnswer } from '../call/fault.ts';
import { codeOfError, codeOfLog, stepOfLog } from './refusal-codes.ts';

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
      // The SDK logs tokens, so its log is discarded; only the code of a refusal and the step are read from it.
      logs: {
        logLevel: 'debug',
        handler: ({ messages }: KandyLogEntry) => current?.readLog(messages),
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
    kandy.on('call:mediaConnectionChange', (event) => {
      forCurrent(event, (call) => {
        call.mediaChanged();
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
      report({ type: 'failed', fault: { at: 'subscription', cause: 'no-sdk' } });
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
  #step: GatewayStep = 'subscription';
  #over = false;
  #endWhenPossible = false;

  constructor(kandy: KandyClient, grant: Grant, report: (event: PhoneEvent) => void) {
    this.#kandy = kandy;
    this.#report = report;
    this.#limit = setTimeout(() => {
      this.#finish(this.#fault('timeout'));
      // A call that connects later would be audible while the page shows a failure.
      this.hangUp();
    }, ANSWER_LIMIT_MS);
    this.id = kandy.call.makeAnonymous(grant.callee, grant.credentials, {
      ...grant.callOptions,
      audio: true,
      video: false,
    });
  }

  readLog(messages: readonly unknown[]): void {
    this.#code ??= codeOfLog(messages);
    const step = stepOfLog(messages);
    // A socket that is opened again during the call says the same.
    if (step !== undefined && this.#step !== 'audio') this.#reach(step);
  }

  changed({ error, transition }: KandyEvent): void {
    const { INITIATING, RINGING, CONNECTED, ENDED, CANCELLED } = this.#kandy.call.states;
    const state = this.#kandy.call.getById(this.id)?.state;
    if (this.#endWhenPossible && state !== INITIATING && state !== ENDED) this.hangUp();
    if (state === RINGING || state === CONNECTED) {
      this.#step = 'audio';
      this.#reportEvent({ type: state === RINGING ? 'ringing' : 'connected' });
    }
    if (state !== ENDED && state !== CANCELLED) return;
    if (error) this.fail(error.code ?? transition?.statusCode, error.message);
    else this.#finish({ type: 'ended' });
  }

  fail(code: string | number | undefined, message: string | undefined): void {
    if (code === 'call:3' || code === 'call:4') return this.#finish({ type: 'no-microphone' });
    const refusal = this.#code ?? codeOfError(code, message);
    this.#finish(
      refusal === undefined
        ? this.#fault('unreachable')
        : { type: 'failed', fault: { at: this.#step, cause: 'refused', code: refusal } },
    );
  }

  /** A connection that has failed does not come back by itself. */
  mediaChanged(): void {
    const { FAILED } = this.#kandy.call.mediaConnectionStates;
    if (this.#kandy.call.getById(this.id)?.mediaConnectionState !== FAILED) return;
    this.#step = 'audio';
    this.#finish(this.#fault('lost'));
    this.hangUp();
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

  #reach(step: GatewayStep): void {
    this.#step = step;
    if (!this.#over) this.#report({ type: 'step', step });
  }

  #fault(cause: Exclude<NoAnswer, 'offline'> | 'lost'): PhoneEvent {
    return { type: 'failed', fault: { at: this.#step, cause } };
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
