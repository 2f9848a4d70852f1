/** Checks if an offer puts the call on hold: its audio is no longer sent in both directions. */
export function isHold(offer: string): boolean {
  const audio = /^m=audio[^]*?(?=^m=|$(?![^]))/m.exec(offer)?.[0] ?? '';
  return /^a=(sendonly|inactive)\s*$/m.test(audio);
}

/** Checks that an offer has audio, ICE credentials and a DTLS fingerprint. */
export function isAudioOffer(offer: string): boolean {
  return [/^m=audio [1-9]/m, /^a=ice-ufrag:/m, /^a=ice-pwd:/m, /^a=fingerprint:/m].every((line) =>
    line.test(offer),
  );
}

/** The offer without its candidates: an ICE-lite peer never asks for them and must not go looking for mDNS names. */
export function withoutCandidates(offer: string): string {
  return offer.replace(/^a=(candidate:.*|end-of-candidates)\r?\n/gm, '');
}
