import { createCallController } from './call/controller.ts';
import { unavailable } from './call/failures.ts';
import { loadConfig } from './config.ts';
import { causeOfEdgeError, createEdge } from './edge/edge.ts';
import { createKandyPhone } from './phone/kandy-phone.ts';
import { askMicrophone } from './phone/microphone.ts';
import { exportSpan, followTrace } from './trace/sandbox-traces.ts';
import { createCallView } from './view/call-view.ts';
import { createPanelView } from './view/panel-view.ts';

const config = await loadConfig().catch(() => undefined);
const panel = createPanelView();
if (config === undefined) {
  const state = { kind: 'failed', failure: unavailable, fault: { at: 'page' } } as const;
  createCallView([], { call: reload, hangUp: reload, setMuted: reload }).show(state);
  panel.showState(state);
} else {
  const { edge, gateway, control, telemetry, destinations } = config;
  let following = new AbortController();
  const askEdge = createEdge(edge, (exchange) => {
    following.abort();
    following = new AbortController();
    panel.showExchange(exchange);
    void exportSpan(telemetry, exchange.span);
    void followTrace(control, exchange.span.traceId, following.signal, panel.showSpans);
  });
  const controller = createCallController({
    askEdge,
    causeOf: causeOfEdgeError,
    isOnline: () => navigator.onLine,
    askMicrophone,
    placeCall: createKandyPhone(gateway),
    now: Date.now,
    onChange: (state) => {
      view.show(state);
      panel.showState(state);
    },
  });
  const view = createCallView(destinations, {
    call: (destination) => void controller.call(destination),
    hangUp: controller.hangUp,
    setMuted: controller.setMuted,
  });
  addEventListener('pagehide', controller.hangUp);
}

function reload(): void {
  location.reload();
}
