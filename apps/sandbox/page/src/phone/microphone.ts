/** Asks the browser for the microphone and lets go of it again: the SDK opens it itself, and is then not asked a second time. */
export async function askMicrophone(): Promise<'granted' | 'denied' | 'missing'> {
  try {
    const stream = await navigator.mediaDevices.getUserMedia({ audio: true });
    for (const track of stream.getTracks()) track.stop();
    return 'granted';
  } catch (error) {
    return error instanceof DOMException && error.name === 'NotAllowedError' ? 'denied' : 'missing';
  }
}
