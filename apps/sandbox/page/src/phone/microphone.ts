/** Requests the microphone and releases it: the SDK opens it again, without a second question to the visitor. */
export async function askMicrophone(): Promise<'granted' | 'denied' | 'missing'> {
  try {
    const stream = await navigator.mediaDevices.getUserMedia({ audio: true });
    for (const track of stream.getTracks()) track.stop();
    return 'granted';
  } catch (error) {
    return error instanceof DOMException && error.name === 'NotAllowedError' ? 'denied' : 'missing';
  }
}
