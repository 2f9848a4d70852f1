/** Notification of a client about a call, without the envelope. */
export type CallEvent =
  | { readonly type: 'ringing'; readonly remoteName: string; readonly remoteAddress: string }
  | { readonly type: 'respondCallUpdate'; readonly sdp: string }
  | { readonly type: 'callEnd'; readonly statusCode: number; readonly reasonText: string };

/** The text frame for an event. `eventId` must differ from every other: the SDK drops what it has seen before. */
export function notificationText(callId: string, eventId: string, event: CallEvent): string {
  return JSON.stringify({
    notificationMessage: {
      eventType: event.type,
      eventId,
      sessionParams: { sessionData: callId, ...sessionParams(event) },
      ...(event.type === 'ringing' && {
        callNotificationParams: {
          remoteName: event.remoteName,
          remoteDisplayNumber: event.remoteAddress,
        },
      }),
    },
  });
}

function sessionParams(event: CallEvent): object {
  switch (event.type) {
    case 'ringing':
      return {};
    case 'respondCallUpdate':
      return { sdp: event.sdp };
    case 'callEnd':
      return { statusCode: event.statusCode, reasonText: event.reasonText };
  }
}
