import { afterEach, expect, it } from '@jest/globals';
import { MediaStreamTrack, RTCPeerConnection, RtpHeader, RtpPacket, useOPUS, usePCMU } from 'werift';
import { createEcho } from './echo.ts';

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

const LIMIT_MS = 60_000;

it.each([
  ['Opus', useOPUS, 'opus/48000/2'],
  ['PCMU', usePCMU, 'pcmu/8000'],
])(
  'a caller hears their own %s back, and again after holding and restarting ICE',
  async (_name, codec, rtpmap) => {
    const caller = new RTCPeerConnection({
      codecs: { audio: [codec()], video: [] },
      iceServers: [],
      iceUseIpv4: false,
      iceUseIpv6: false,
      iceAdditionalHostAddresses: ['127.0.0.1'],
      iceInterfaceAddresses: { udp4: '127.0.0.1' },
    });
    const echo = createEcho();
    closing.push(
      () => caller.close(),
      () => echo.close(),
    );
    const microphone = new MediaStreamTrack({ kind: 'audio' });
    const transceiver = caller.addTransceiver(microphone, { direction: 'sendrecv' });
    const heard: string[] = [];
    transceiver.onTrack.subscribe((track) => {
      track.onReceiveRtp.subscribe(({ payload }) => void heard.push(payload.toString()));
    });
    const negotiate = async (options: { iceRestart?: boolean } = {}) => {
      await caller.setLocalDescription(await caller.createOffer(options));
      const answer = await echo.answer(caller.localDescription?.sdp ?? '');
      await caller.setRemoteDescription({ type: 'answer', sdp: answer });
      // What a browser does by itself.
      if (options.iceRestart) void caller.iceTransports[0]?.start();
      return answer;
    };

    const answer = await negotiate();
    expect(answer.toLowerCase()).toContain(rtpmap);
    const candidates = answer.match(/^a=candidate:.*$/gm) ?? [];
    expect(candidates).toHaveLength(1);
    expect(candidates[0]).toMatch(/ 127\.0\.0\.1 \d+ typ host/);

    let sequence = 1;
    const payloadType = transceiver.codecs[0]?.payloadType ?? 0;
    const say = async (words: string) => {
      const start = Date.now();
      while (!heard.includes(words)) {
        if (Date.now() - start > LIMIT_MS / 4) throw new Error(`${words} did not come back`);
        sequence += 1;
        const header = new RtpHeader({
          payloadType,
          sequenceNumber: sequence,
          timestamp: sequence * 960,
          ssrc: 7,
        });
        microphone.writeRtp(new RtpPacket(header, Buffer.from(words)));
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    };
    await say('hello');

    transceiver.setDirection('sendonly');
    expect(await negotiate()).toMatch(/^a=recvonly\r?$/m);
    transceiver.setDirection('sendrecv');
    expect(await negotiate()).toMatch(/^a=sendrecv\r?$/m);
    await say('back again');

    await negotiate({ iceRestart: true });
    await say('from a new place');
  },
  LIMIT_MS,
);

it('what is no session description is rejected, and closing twice does no harm', async () => {
  const echo = createEcho();
  await expect(echo.answer('hello')).rejects.toThrow();
  await echo.close();
  await echo.close();
});
