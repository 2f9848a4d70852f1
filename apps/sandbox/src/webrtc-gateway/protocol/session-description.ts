/** Whether an offer puts the call on hold: its audio no longer goes to the other side and back. */
export function isHold(offer: string): boolean {
  const audio = /^m=audio[^]*?(?=^m=|$(?![^]))/m.exec(offer)?.[0] ?? '';
  return /^a=(sendonly|inactive)\s*$/m.test(audio);
}

/** Whether an offer has audio, and what it takes to reach and to trust who offers it. */
export function isAudioOffer(offer: string): boolean {
  return [/^m=audio [1-9]/m, /^a=ice-ufrag:/m, /^a=ice-pwd:/m, /^a=fingerprint:/m].every((line) =>
    line.test(offer),
  );
}

/** The offer without its candidates: an ICE-lite peer never asks for them and must not go looking for mDNS names. */
export function withoutCandidates(offer: string): string {
  return offer.replace(/^a=(candidate:.*|end-of-candidates)\r?\n/gm, '');
}
