import { RTCPeerConnection, useOPUS, usePCMU } from 'werift';
import type { Media } from '../protocol/calls.ts';
import { isAudioOffer, withoutCandidates } from '../protocol/session-description.ts';

const LOOPBACK = '127.0.0.1';

/** Time limit for closing a peer connection. */
const CLOSE_LIMIT_MS = 1000;

/**
 * The other side of a call, who says back whatever is said: RTP is returned as it came, so it works for every codec that
 * was agreed on. Listens on 127.0.0.1 only, as an ICE-lite peer: it never goes looking for the client, the client
 * comes to it, so it needs none of the client's candidates (which browsers hide behind mDNS names anyway).
 */
export function createEcho(): Media {
  const peer = new RTCPeerConnection({
    codecs: { audio: [useOPUS(), usePCMU()], video: [] },
    iceLite: true,
    iceServers: [],
    // No interface of the machine but this one.
    iceUseIpv4: false,
    iceUseIpv6: false,
    iceAdditionalHostAddresses: [LOOPBACK],
    iceInterfaceAddresses: { udp4: LOOPBACK },
  });
  peer.onRemoteTransceiverAdded.subscribe((transceiver) => {
    transceiver.setDirection('sendrecv');
    transceiver.onTrack.subscribe((track) => {
      void transceiver.sender.replaceTrack(track).catch(() => undefined);
    });
  });
  return {
    async answer(offer) {
      if (!isAudioOffer(offer)) throw new Error('this is no offer of audio');
      await peer.setRemoteDescription({ type: 'offer', sdp: withoutCandidates(offer) });
      await peer.setLocalDescription(await peer.createAnswer());
      resumeRestarted(peer);
      const { localDescription } = peer;
      // Port 0 refuses the audio: there is no codec that both know.
      if (localDescription === null || !isAudioOffer(localDescription.sdp))
        throw new Error('no answer can be made');
      return localDescription.sdp;
    },
    async close() {
      const limit = Promise.withResolvers<void>();
      const timer = setTimeout(limit.resolve, CLOSE_LIMIT_MS);
      await Promise.race([peer.close().catch(() => undefined), limit.promise]);
      clearTimeout(timer);
    },
  };
}

/** After an ICE restart werift waits for checks only where DTLS is still to come, so over a DTLS that stands it is told to. */
function resumeRestarted(peer: RTCPeerConnection): void {
  for (const { state, iceTransport } of peer.dtlsTransports) {
    // Rejects when the client does not come back: then its audits end the call.
    const isRestarted = state === 'connected' && iceTransport.connection.nominated === undefined;
    if (isRestarted) iceTransport.start().catch(() => undefined);
  }
}
